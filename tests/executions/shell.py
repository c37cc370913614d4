"""Commands as a shell sees them: arguments in; exit status, output and errors out."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from unittest import mock

from django.core.management import CommandError, call_command


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


def run(*arguments: str, stdin: bytes | None = None) -> Ran:
    """Run a management command; what it raises ends it as it would end the process."""
    out, err = io.StringIO(), io.StringIO()
    given = sys.stdin if stdin is None else SimpleNamespace(buffer=io.BytesIO(stdin))
    status = 0
    with mock.patch.object(sys, "stdin", given):
        try:
            call_command(*arguments, stdout=out, stderr=err)
        except CommandError as error:
            status = error.returncode
            err.write(f"{type(error).__name__}: {error}\n")
        except SystemExit as end:
            status = int(end.code or 0)
    return Ran(status, out.getvalue(), err.getvalue())

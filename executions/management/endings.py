"""How a command ends: one exit status per kind of end, and a sentence instead of a traceback."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError
from psycopg.errors import UndefinedTable

from executions.agents import InputRefused, UnknownAgent
from executions.core.limits import LimitError
from executions.core.states import ExecutionStatus
from executions.management.terminal import printable
from executions.operations.refusals import Refusal


class Exit(IntEnum):
    """What the shell sees."""

    DONE = 0
    FAILED = 1
    REFUSED = 2
    CANCELLED = 3
    UNFINISHED = 4
    NO_DATABASE = 5


EXIT_STATUSES = """\
exit status: 0 completed (or launched, without --follow), 1 failed, 2 refused or bad input,
3 cancelled, 4 not finished when following stopped (it waits for a person and --no-wait-review
was given, or Ctrl-C), 5 the database does not answer
"""

OF_STATUS = {
    ExecutionStatus.COMPLETED.value: Exit.DONE,
    ExecutionStatus.FAILED.value: Exit.FAILED,
    ExecutionStatus.CANCELLED.value: Exit.CANCELLED,
}

REFUSALS = (Refusal, UnknownAgent, InputRefused, LimitError)
LOST_DATABASE = (OperationalError, InterfaceError)


class Refused(CommandError):
    """Django prints the class's name before the message: "Refused: there is no agent …"."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message), returncode=Exit.REFUSED)


class NoDatabase(CommandError):
    def __init__(self, message: str) -> None:
        super().__init__(printable(message), returncode=Exit.NO_DATABASE)


class PlainCommand(BaseCommand):
    """A command whose refusals and outages are sentences. `changed_nothing` ends each of them."""

    changed_nothing = ""

    def execute(self, *args: Any, **options: Any) -> Any:
        for stream in (self.stdout, self.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character
                stream.reconfigure(errors="backslashreplace")
        logging.getLogger("django-q").setLevel(logging.WARNING)  # a line for each ticket
        with plain_errors(self.changed_nothing), quiet_when_unread():
            return super().execute(*args, **options)


@contextmanager
def plain_errors(changed_nothing: str) -> Iterator[None]:
    """Turn refusals, an outage and a missing table into one sentence each."""
    try:
        yield
    except REFUSALS as refusal:
        raise Refused(sentences(str(refusal), changed_nothing)) from None
    except LOST_DATABASE as lost:
        raise NoDatabase(
            sentences(f"the database does not answer: {first_line(lost)}", changed_nothing)
        ) from None
    except ProgrammingError as error:
        if not isinstance(error.__cause__, UndefinedTable):
            raise
        why = "the database has no tables yet: run manage.py migrate"
        raise NoDatabase(sentences(why, changed_nothing)) from None


@contextmanager
def quiet_when_unread() -> Iterator[None]:
    """End in silence when the reader of our output has gone, as in `… | head`."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(Exit.FAILED) from None


def first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0].strip()


def sentences(*parts: str) -> str:
    """Join sentences, each ended by a full stop."""
    clean = [part.strip() for part in parts if part.strip()]
    return " ".join(part if part[-1] in ".!?" else f"{part}." for part in clean)

"""The sandbox authority as a real process, for tests that file with it."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.processes import ChildProcess
from tests.support.waiting import wait_until

LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")


class SandboxAuthority:
    """A running authority: its address, its ledger file, its process."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.ledger_file = folder / "ledger.jsonl"
        self._log = folder / "authority.log"
        arguments = ("--port", "0", "--ledger", str(self.ledger_file), *options)
        self.process = ChildProcess(
            "-m",
            "agentops.sandbox.regulator",
            *arguments,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            log=self._log,
        )
        found = wait_until(
            lambda: LISTENING.search(self.process.log()) or self._ended(), what="the authority"
        )
        self.url = found[1]

    def _ended(self) -> None:
        if self.process.returncode() is not None:
            raise AssertionError(self.process.log())

    def filings(self) -> list[dict[str, Any]]:
        """Return the ledger as the authority tells it."""
        with urllib.request.urlopen(f"{self.url}/ledger", timeout=5) as answer:
            said: dict[str, Any] = json.load(answer)
        return list(said["filings"])


@contextmanager
def sandbox_authority(folder: Path, *options: str) -> Iterator[SandboxAuthority]:
    """A running authority, gone at the end."""
    authority = SandboxAuthority(folder, *options)
    try:
        yield authority
    finally:
        authority.process.stop()

"""One supervised child process: how it is started, watched, started again and stopped."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agentops.environment import BASE_DIR

STARTS_CLEAN = 70
"""A cluster ends with this status when it no longer trusts its own state; a new one is the cure."""

LONGEST_PAUSE_S = 30.0
_HEALTHY_AFTER_S = 60.0
_PR_SET_PDEATHSIG = 1
_LONGEST_LOG = 10_000_000

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, kw_only=True)
class Service:
    """What to run: `python ARGUMENTS…`. Lower stages start earlier and stop later."""

    name: str
    arguments: tuple[str, ...]
    stage: int
    port: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_within_s: float = 10.0


class Child:
    """A service as a process. Times are seconds of the monotonic clock."""

    def __init__(self, service: Service, *, log: Path) -> None:
        self.service = service
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._log_begins_at = 0
        self._failures = 0
        self._next_start = 0.0

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._log_begins_at = output.tell()
            self._process = subprocess.Popen(
                [sys.executable, *self.service.arguments],
                cwd=BASE_DIR,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.service.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal reaches us alone; we stop the children in order.
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  we start no threads
            )
        self._started_at = time.monotonic()

    def status(self) -> int | None:
        """The exit status, None while it runs. Negative: the signal that killed it."""
        return self._process.poll() if self._process else None

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def note_death(self, *, now: float) -> float:
        """Plan the next start; the seconds until then. It doubles as long as it keeps dying."""
        if now - self._started_at > _HEALTHY_AFTER_S:
            self._failures = 0
        pause = min(LONGEST_PAUSE_S, 0.5 * 2.0**self._failures)
        if self.status() == STARTS_CLEAN and self._failures == 0:
            pause = 0.0
        self._failures += 1
        self._next_start = now + pause
        self._process = None
        return pause

    def due(self, *, now: float) -> bool:
        return self._process is None and now >= self._next_start

    def ask_to_stop(self) -> None:
        if self._process and self.running():
            self._process.terminate()

    def kill(self) -> None:
        """End it and all it started."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def last_lines(self, count: int = 5) -> str:
        """What this start of it said last."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(self._log_begins_at, self.log.stat().st_size - 8192))
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-count:])


def _die_with_parent() -> None:
    """In the child: kill -9 of the supervisor leaves nothing behind."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

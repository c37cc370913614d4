"""Real child processes of a test: started with one environment, always gone at its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from agentops.environment import BASE_DIR

STOP_WITHIN_S = 10


class ChildProcess:
    """`python ARGUMENTS…` in a session of its own; what it prints goes into a file."""

    def __init__(self, *arguments: str, env: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=BASE_DIR,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def returncode(self) -> int | None:
        return self._popen.poll()

    def wait(self, *, within_s: float = STOP_WITHIN_S) -> int:
        return self._popen.wait(within_s)

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def stop(self) -> None:
        """Ask it to end, then end whatever of its session is left."""
        if self.returncode() is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()

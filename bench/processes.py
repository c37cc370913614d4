"""Child processes of a run, and what the kernel says about a process (on Linux; elsewhere None)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from agentops.environment import BASE_DIR

STOP_WITHIN_S = 10
Found = TypeVar("Found")


class Child:
    """`python ARGUMENTS…` in a session of its own; its errors go to `log`."""

    def __init__(self, *arguments: str, log: Path, **variables: str) -> None:
        self.log = log
        with log.open("ab") as errors:
            self.popen = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=BASE_DIR,
                env={**os.environ, **variables},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def line(self) -> str:
        """Return its next line of output; RuntimeError with the end of its log if it ended."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.popen.args!r} ended:\n{self.log.read_text()[-2000:]}")
        return line

    def go(self) -> None:
        """Send it the line it waits for."""
        assert self.popen.stdin is not None
        self.popen.stdin.write("go\n")
        self.popen.stdin.flush()

    def stop(self) -> None:
        """Ask it to end, then end whatever of its session is left."""
        if self.popen.poll() is None:
            self.popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(STOP_WITHIN_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def until(condition: Callable[[], Found], *, within_s: float, what: str) -> Found:
    """Return the first true value of `condition`; TimeoutError naming `what` after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within_s:.0f} s in vain for {what}")
        time.sleep(0.02)
    return value


def memory_mb(pid: int | str, field: str) -> float | None:
    """Return a size of the process: VmRSS is resident now, VmHWM the most there ever was."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024 / 1e6
    return None


def family_cpu_s(pid: int) -> float | None:
    """Return the CPU seconds of a process, of its living children and of those it has reaped."""
    if not Path("/proc/self/stat").exists():
        return None
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = _stat(folder)
            if int(folder.name) == pid:
                ticks += sum(int(field) for field in fields[11:15])
            elif int(fields[1]) == pid:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(folder: Path) -> list[Any]:
    return (folder / "stat").read_text().rpartition(")")[2].split()

"""Keeps the children running until somebody says stop, then stops them in order."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FrameType

from agentops.dev import ports
from agentops.dev.child import STARTS_CLEAN, Child, Service
from agentops.dev.console import say

_LOOK_EVERY_S = 0.2
_READY_WITHIN_S = 60.0


class Supervisor:
    """`start`, `watch` until a signal, `stop`. A second signal while stopping kills at once."""

    def __init__(self, services: Iterable[Service], *, logs: Path) -> None:
        by_stage = sorted(services, key=lambda service: service.stage)
        self.children = [Child(service, log=logs / f"{service.name}.log") for service in by_stage]
        self._signals = 0

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def start(self) -> None:
        """Start all; return when those with a port answer there, or a minute has passed."""
        for child in self.children:
            child.start()
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self._signals and time.monotonic() < deadline and self._silent():
            self._revive()
            time.sleep(_LOOK_EVERY_S)
        if not self._signals and (silent := self._silent()):
            names = ", ".join(f"{child.service.name} ({child.log})" for child in silent)
            say(f"Still not answering: {names}")

    def _silent(self) -> list[Child]:
        return [
            child
            for child in self.children
            if child.service.port and not (child.running() and ports.answers(child.service.port))
        ]

    def watch(self) -> None:
        """Start again whatever dies, until a signal comes."""
        while not self._signals:
            self._revive()
            time.sleep(_LOOK_EVERY_S)

    def _revive(self) -> None:
        now = time.monotonic()
        for child in self.children:
            status = child.status()
            if status is not None:
                _report(child, status, pause=child.note_death(now=now))
            if child.due(now=now):
                child.start()

    def stop(self) -> None:
        """The last started stops first; what does not stop in its time is killed."""
        self._signals = 0
        for stage in sorted({child.service.stage for child in self.children}, reverse=True):
            self._stop_together([c for c in self.children if c.service.stage == stage])

    def _stop_together(self, children: Sequence[Child]) -> None:
        for child in children:
            child.ask_to_stop()
        started = time.monotonic()
        for child in children:
            deadline = started + child.service.stop_within_s
            while child.running() and time.monotonic() < deadline and not self._signals:
                time.sleep(0.05)
            if child.running():
                say(f"  {child.service.name} did not stop by itself and is killed.")
            child.kill()


def _report(child: Child, status: int, *, pause: float) -> None:
    name = child.service.name
    if status == STARTS_CLEAN:
        say(f"{name} ended to start afresh; its log: {child.log}")
        return
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    say(f"{name} {how}; next start in {pause:.1f} s. Its log, {child.log}, ends:")
    say(child.last_lines())

"""Our processes: a supervisor that starts again what has ended, and who is who among them."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.processes import ChildProcess

LOOK_EVERY_S = 0.2
RESTART_S = 1.0  # as systemd's RestartSec in docs/operating.md
DRAIN_WITHIN_S = 60.0
ROLES = ("monitor", "pusher")


@dataclass
class Service:
    """`python ARGUMENTS…` with `variables` beside the soak's own environment.

    `workers` above 0: it is a cluster with so many worker processes.
    """

    name: str
    arguments: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    workers: int = 0
    child: ChildProcess | None = None
    ended_at: float = 0.0


@dataclass(frozen=True)
class Member:
    """One process; `role` is main, sentinel, worker, monitor, pusher or web worker."""

    service: str
    role: str
    process: psutil.Process


class Family:
    """Everything the soak started but PostgreSQL. `restarts` are counted by service."""

    def __init__(self, logs: Path) -> None:
        self.services: list[Service] = []
        self.restarts: Counter[str] = Counter()
        self._logs = logs
        self._numbers = itertools.count(1)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self, service: Service) -> Path:
        """Start a service, to be kept running; return the log of this start."""
        with self._lock:
            self.services.append(service)
            log = self._run(service)
            if not self._thread.is_alive():
                self._thread.start()
            return log

    def _run(self, service: Service) -> Path:
        folder = self._logs / service.name
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"{next(self._numbers):05d}.log"
        env = {**os.environ, **service.variables}
        service.child = ChildProcess(*service.arguments, env=env, log=log)
        return log

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            with self._lock:
                for service in self.services:
                    self._revive(service)

    def _revive(self, service: Service) -> None:
        if service.child is not None and service.child.returncode() is not None:
            service.child.stop()  # whatever of its session is left
            service.child, service.ended_at = None, time.monotonic()
        if service.child is None and time.monotonic() - service.ended_at >= RESTART_S:
            self.restarts[service.name] += 1
            self._run(service)

    def all_run(self) -> bool:
        with self._lock:
            return all(s.child and s.child.returncode() is None for s in self.services)

    def members(self) -> list[Member]:
        """Return every process that may be killed: clusters and web, not the outside world."""
        with self._lock:
            mains = [(s, s.child.pid) for s in self.services if s.child]
        found: list[Member] = []
        for service, pid in mains:
            with contextlib.suppress(psutil.Error):
                main = psutil.Process(pid)
                if service.workers:
                    found += _cluster(service, main)
                elif service.name == "web":
                    found += [Member("web", "web worker", one) for one in main.children()]
        return found

    def drain(self) -> dict[str, float]:
        """Tell each cluster to stop, alone; return the seconds each took."""
        self._over.set()
        took: dict[str, float] = {}
        for service in self.services:
            if service.workers and service.child:
                began = time.monotonic()
                service.child.send(signal.SIGTERM)
                status = service.child.wait(within_s=DRAIN_WITHIN_S)
                took[f"{service.name} (status {status})"] = time.monotonic() - began
        return took

    def stop(self) -> None:
        """End everything, the last started first."""
        self._over.set()
        with self._lock:
            for service in reversed(self.services):
                if service.child is not None:
                    service.child.stop()


def _cluster(service: Service, main: psutil.Process) -> list[Member]:
    """Return a cluster's processes; within the sentinel's children age tells who is who."""
    found = [Member(service.name, "main", main)]
    for sentinel in main.children():
        found.append(Member(service.name, "sentinel", sentinel))
        children = sorted(sentinel.children(), key=lambda one: (one.create_time(), one.pid))
        roles = ["worker"] * service.workers + list(ROLES)
        found += [
            Member(service.name, role, one) for role, one in zip(roles, children, strict=False)
        ]
    return found

"""Hands in other processes, which really die: each act and each life is a child of the zygote."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from agentops.environment import BASE_DIR
from tests.faults.acts import REPEATS, Act
from tests.faults.crashing import Chance, Fault, Mode, Place

START_S, ANSWER_S = 60.0, 60.0


class Zygote:
    """The process that forks the children. `close` it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answer(START_S)

    def work(self, job: dict[str, Any]) -> dict[str, Any]:
        """Let a child do a job; return what it told, and the signal that killed it, or 0."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps(job) + "\n")
        self._popen.stdin.flush()
        return self._answer(ANSWER_S)

    def close(self) -> None:
        self._popen.kill()
        self._popen.communicate()

    def _answer(self, within_s: float) -> dict[str, Any]:
        assert self._popen.stdout is not None
        ready, _, _ = select.select([self._popen.stdout], [], [], within_s)
        assert ready, f"a child gave no answer in {within_s} s"
        answer: dict[str, Any] = json.loads(self._popen.stdout.readline())
        return answer


class There:
    """One play's hands, with the faults that are planned against it. Nobody meddles in a life:
    visits are made between two."""

    def __init__(
        self, zygote: Zygote, plan: Iterable[Fault] = (), chances: Iterable[Chance] = ()
    ) -> None:
        self.places: list[Place] = []
        self.fired: list[Fault] = []
        self._zygote = zygote
        self._plan, self._chances = list(plan), list(chances)
        self._visits: list[Act] = []

    def do(self, act: Act) -> Any:
        for _ in range(REPEATS):
            kind, *what = self._work([act.name, act.arguments])
            if kind == "done":
                return what[0]
        raise AssertionError(f"{act} got no answer in {REPEATS} tries")

    def drive(self, **_: Any) -> bool:
        return bool(self._work(None)[0] == "done")

    def visit(self, place: tuple[str, int] | int, act: Act) -> None:
        self._visits.append(act)

    def catch_up(self) -> None:
        visits, self._visits = self._visits, []
        for act in visits:
            self.do(act)

    def _work(self, act: list[Any] | None) -> list[Any]:
        """Let a child work; return its last word: done, died or killed."""
        report = self._zygote.work(
            {"act": act, "plan": self._plan, "chances": self._chances, "places": self.places}
        )
        last: list[Any] = ["killed"] if report["signal"] == signal.SIGKILL else ["lost"]
        for kind, *what in report["told"]:
            if kind == "hit":
                self.places.append(Place(*what))
            elif kind == "fault":
                self.fired.append(Fault(what[0], what[1], Mode(what[2])))
            else:
                last = [kind, *what]
        assert last[0] in ("done", "died", "killed"), last
        self._plan = [fault for fault in self._plan if fault not in self.fired]
        self._chances = [one for one in self._chances if one.number > len(self.places)]
        return last

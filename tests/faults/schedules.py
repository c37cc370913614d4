"""Schedules by seed: random executions, random faults, and people who act at random moments.

The same seed makes the same schedule. What it meets then depends on timing in little.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Sum

from executions.core.limits import Limits
from executions.models import AgentExecution, AgentReview, AgentToolCall
from tests.faults import scenarios
from tests.faults.acts import Act
from tests.faults.crashing import Chance
from tests.faults.judging import against_outside, is_poisoned
from tests.faults.playing import ROUNDS, Hands, Played, Player, answer
from tests.support.rehearsed_agent import calls, text
from tools.models import Customer

MOST_FAULTS, MOST_MEDDLERS = 6, 4
HITS = 240  # faults and meddlers come at one of so many first hits
CUSTOMERS = ("C-1001", "C-1002", "C-1003", "C-1004")
VERDICTS = {"approve": 70, "reject": 14, "expire": 10, "cancel": 6}
MEDDLING = {
    "decide_any": 6, "cancel": 2, "each_minute": 2, "lose_tickets": 2, "double_tickets": 2,
    "take_ticket": 2, "bury_the_living": 2,
}  # fmt: skip


class Schedule:
    """One schedule, to be played once."""

    def __init__(self, seed: int, *, kills: bool = False) -> None:
        self.seed = seed
        self._rng = random.Random(f"schedule {seed}")
        self.chances = [
            Chance(self._rng.randint(1, HITS), self._rng.random(), kills)
            for _ in range(self._rng.randint(int(kills), MOST_FAULTS))
        ]

    def play(self, player: Player, hands: Hands) -> Played:
        player.look_outside()
        played = Played(f"seed {self.seed}")
        for _ in range(self._rng.choice((1, 1, 2, 3))):
            player.serial += 1
            script = self._script(player)
            key = f"seed {self.seed} as play {player.serial} of {id(player)}"
            launched = hands.do(Act("launch", {"script": script, "key": key}))
            played.executions.append(UUID(launched))
        for _ in range(self._rng.randint(0, MOST_MEDDLERS)):
            hit, act = self._rng.randint(1, HITS), self._meddling(played)
            hands.visit(hit, act)
            played.burials += act.name == "bury_the_living"
        for _ in range(ROUNDS):
            player.bring_to_rest(hands, played)
            act = self._next_act(player, played)
            if act is None:
                return player.ended(hands, played)
            hands.do(act)
        raise AssertionError(f"{played.told}: no end in {ROUNDS} rounds")

    def _script(self, player: Player) -> list[dict[str, Any]]:
        steps = [
            [self._call(player, step, place) for place in range(self._rng.randint(1, 3))]
            for step in range(self._rng.randint(1, 3))
        ]
        return [
            *(calls(*step) for step in _without_loops(steps) if step),
            text(f"done {player.serial}"),
        ]

    def _call(self, player: Player, step: int, place: int) -> scenarios.Call:
        serial = player.serial * 100 + step * 10 + place
        makers: dict[Callable[[], scenarios.Call], int] = {
            lambda: ("read_customer_record", {"customer_id": self._rng.choice(CUSTOMERS)}): 4,
            lambda: scenarios.RULES: 1,
            lambda: scenarios.letter(serial): 4,
            lambda: self._update(serial): 2,
            lambda: scenarios.filing(player.report, serial): 2,
            lambda: scenarios.document(serial): 1,
        }
        return self._rng.choices(list(makers), list(makers.values()))[0]()

    def _update(self, serial: int) -> scenarios.Call:
        name, arguments = scenarios.update(serial)
        return name, {**arguments, "customer_id": self._rng.choice(CUSTOMERS), "version": None}

    def _meddling(self, played: Played) -> Act:
        name = self._rng.choices(list(MEDDLING), list(MEDDLING.values()))[0]
        executions = [str(id) for id in played.executions]
        if name == "cancel":
            return Act(name, {"execution": self._rng.choice(executions)})
        if name == "decide_any":
            rolled = {"roll": self._rng.random(), "approve": self._rng.random() < 0.8}
            return Act(name, {"executions": executions, **rolled})
        return Act(name)

    def _next_act(self, player: Player, played: Played) -> Act | None:
        reviews = AgentReview.objects.open().filter(execution_id__in=played.executions)
        found = list(reviews.order_by("call__step_number", "call__call_index", "execution_id"))
        if not found:
            return None
        review = self._rng.choice(found)
        if review.kind == "doubt":
            is_over = AgentExecution.objects.get(pk=review.execution_id).is_final
            return player.settle(played, review, drop=is_over or self._rng.random() < 0.2)
        return answer(review, self._rng.choices(list(VERDICTS), list(VERDICTS.values()))[0])


def _without_loops(steps: list[list[scenarios.Call]]) -> list[list[scenarios.Call]]:
    """Return the steps without the repeats for which an execution is stopped."""
    asked: list[scenarios.Call] = []
    for step in steps:
        for call in tuple(step):
            if asked.count(call) < Limits().max_identical_calls - 1:
                asked.append(call)
            else:
                step.remove(call)
    return steps


def versions() -> int:
    """Return the sum of all customers' versions: it counts the changes really made."""
    total: int = Customer.objects.aggregate(total=Sum("version"))["total"]
    return total


def wrong_with(played: Played, *, changes: int) -> list[str]:
    """Return in words what is wrong with a schedule; `changes`: of customers' records."""
    wrong = against_outside(played)
    succeeded = AgentToolCall.objects.filter(
        execution_id__in=played.executions, tool_name="update_customer_record", status="succeeded"
    ).count()
    if succeeded != changes:
        wrong.append(f"{succeeded} changes of records succeeded, and {changes} were made")
    for execution in AgentExecution.objects.filter(pk__in=played.executions):
        cancelled = execution.status == "cancelled" and execution.cancel_requested_at
        if execution.status != "completed" and not (cancelled or is_poisoned(execution, played)):
            wrong.append(f"{execution.pk} is {execution.status}: {execution.error}")
    return wrong

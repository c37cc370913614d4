"""Judging a play by what the outside wrote down, and by what its rows say."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence

from executions.invariants import verify
from executions.invariants.rule import Ledger
from executions.models import AgentExecution, AgentRunner, AgentToolCall
from tests.faults.crashing import Mode
from tests.faults.playing import Played
from tests.faults.scenarios import Scenario

DEATHS_OF_POISON = 5
OUTSIDE = ("send_email", "submit_to_regulator")
IN_DOUBT_OR_DROPPED = ("in_doubt", "cancelled")


def wrong_with(played: Played, scenario: Scenario) -> list[str]:
    """Return in words what is wrong with the play of a scenario; an empty list: nothing."""
    execution = AgentExecution.objects.get(pk=played.executions[0])
    wrong = [*_end(execution, played, scenario), *against_outside(played)]
    if execution.status == scenario.ends == "completed":
        wrong += _outcomes(execution, played, scenario)
    return wrong


def _end(execution: AgentExecution, played: Played, scenario: Scenario) -> list[str]:
    if execution.status == scenario.ends or is_poisoned(execution, played):
        return []
    if scenario.ends == "cancelled" and execution.status == "completed" and played.fired:
        return []  # it was faster than the cancel, which a fault held up
    return [f"it is {execution.status}, not {scenario.ends}: {execution.error}"]


def is_poisoned(execution: AgentExecution, played: Played) -> bool:
    """Test if it rightly ended because its runners died of it, as far as anybody can tell."""
    return execution.stop_reason == "POISONED" and played.deaths >= DEATHS_OF_POISON


def _outcomes(execution: AgentExecution, played: Played, scenario: Scenario) -> list[str]:
    """Compare the calls' ends with the story's; a fault that struck a tool may be its failure."""
    ends: dict[str, list[str]] = defaultdict(list)
    for call in execution.tool_calls.order_by("step_number", "call_index"):
        ends[call.tool_name].append(call.status)
    struck = {fault.point.partition(".")[0] for fault in played.fired if fault.mode is not Mode.DIE}
    return [
        f"{tool} ended as {ends[tool]}, not {outcomes}"
        for tool, outcomes in scenario.outcomes.items()
        if len(ends[tool]) != len(outcomes)
        or any(
            status != outcome and not (status == "failed" and tool in struck)
            for status, outcome in zip(ends[tool], outcomes, strict=True)
        )
    ]


def against_outside(played: Played) -> list[str]:
    """Each key at most once outside; once if it succeeded; never without a start."""
    calls = AgentToolCall.objects.filter(execution_id__in=played.executions)
    seen = Counter([*played.letters, *played.filings])
    wrong = [f"the outside saw {key} {times} times" for key, times in seen.items() if times > 1]
    started = {call.idempotency_key: call for call in calls if call.started_at}
    wrong += [f"the outside saw {key}, which never started" for key in seen if key not in started]
    for call in calls:
        if call.tool_name not in OUTSIDE:
            continue
        if call.status == "succeeded" and not seen[call.idempotency_key or ""]:
            wrong.append(f"{call.tool_name} succeeded, and the outside never saw it")
        may_be_seen = call.status in ("succeeded", *IN_DOUBT_OR_DROPPED)
        if seen[call.idempotency_key or ""] and not may_be_seen:
            wrong.append(f"{call.tool_name} is {call.status}, and the outside saw it")
    if AgentRunner.objects.filter(dead_at=None).exists():
        wrong.append("a runner is still held to be alive")
    return [*wrong, *_asked_again(played)]


def _asked_again(played: Played) -> list[str]:
    """At most one LLM request is repeated for each fault, and for each runner taken for dead."""
    bodies = Counter(json.dumps(line["body"], sort_keys=True) for line in played.requests)
    again = sum(times - 1 for times in bodies.values())
    spoilt = sum(bool(line["fault"]) for line in played.requests)
    lives = len(played.fired) + played.burials
    if again <= lives * len(played.executions) + spoilt:
        return []
    return [f"{again} requests were repeated after {lives} faults and burials"]


def broken_promises(plays: Sequence[Played]) -> list[str]:
    """Verify I1 to I16 over everything in the database, the outside's ledgers among it."""
    ledgers = [
        Ledger(tool="send_email", keys=tuple(key for one in plays for key in one.letters)),
        Ledger(tool="submit_to_regulator", keys=tuple(k for one in plays for k in one.filings)),
    ]
    return [
        f"{one.name} ({one.promise}): {example.row}: {example.what}"
        for one in verify(grace_s=0, ledgers=ledgers)
        for example in one.examples
    ]

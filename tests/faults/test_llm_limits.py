"""Each limit exactly, one below and one above, where several calls run at once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from executions import operations
from executions.models import AgentExecution
from tests import factories
from tests.faults.checking import nothing_is_violated
from tests.faults.gated_nap import LASTS, NAPPING, naps
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import text
from tests.support.standing_runner import run_until_idle

THREE = naps(1, 2, 3)


@pytest.fixture(autouse=True)
def _verified(committed_db: None) -> Iterator[None]:
    LASTS.clear()
    yield
    LASTS.clear()
    nothing_is_violated()


def run(llm: RehearsalServer, *script: dict[str, Any], **limits: Any) -> AgentExecution:
    execution = operations.launch(
        agent_type=NAPPING.name,
        input_data={"rehearse": list(script)},
        user=factories.system(),
        limits=limits,
    ).execution
    run_until_idle(base_url=llm.base_url)
    execution.refresh_from_db()
    return execution


def succeeded(execution: AgentExecution) -> int:
    return execution.tool_calls.filter(status="succeeded").count()


@pytest.mark.parametrize(("asked", "ran"), [(2, 2), (3, 3), (4, 3)])
def test_calls_in_one_step(llm: RehearsalServer, asked: int, ran: int) -> None:
    """C3: max_calls_per_step."""
    execution = run(llm, naps(*range(asked)), text(), max_calls_per_step=3)
    assert execution.status == "completed"
    assert succeeded(execution) == ran
    assert execution.tool_calls.filter(error__contains="at most 3").count() == asked - ran


@pytest.mark.parametrize(
    ("most", "reason"), [(1, "MAX_STEPS_EXCEEDED"), (2, "MAX_STEPS_EXCEEDED"), (3, None)]
)
def test_steps_with_calls_at_once(llm: RehearsalServer, most: int, reason: str | None) -> None:
    """C3: what the last allowed step asked for is done and kept; no further request goes out."""
    execution = run(llm, THREE, naps(4, 5), text(), max_steps=most)
    assert execution.stop_reason == reason
    assert execution.step_count == len(llm.log()) == most
    assert succeeded(execution) == (3 if most == 1 else 5)


@pytest.mark.parametrize(("offset", "steps"), [(-1, 1), (0, 1), (1, 2)])
def test_tokens_with_calls_at_once(llm: RehearsalServer, offset: int, steps: int) -> None:
    """C3: exceeded by one answer at most; the calls under way are done and kept."""
    script = (THREE, naps(4), text())
    used = run(llm, *script, max_tokens=9999).steps.get(step_number=1).total_tokens
    execution = run(llm, *script, max_tokens=used + offset)
    assert (execution.stop_reason, execution.step_count) == ("MAX_TOKENS_EXCEEDED", steps)
    assert succeeded(execution) == 3, "one token of room is an answer cut off, which runs nothing"


@pytest.mark.parametrize(("offset", "steps"), [("-0.000001", 1), ("0", 1), ("0.000001", 2)])
def test_cost_with_calls_at_once(llm: RehearsalServer, offset: str, steps: int) -> None:
    """C3: the smallest amount there is, below and above what the first step costs."""
    script = (THREE, naps(4), naps(5), text())
    cost = run(llm, *script, max_cost_usd="1").steps.get(step_number=1).cost_usd
    assert cost
    execution = run(llm, *script, max_cost_usd=str(Decimal(cost) + Decimal(offset)))
    assert (execution.stop_reason, execution.step_count) == ("MAX_COST_EXCEEDED", steps)
    assert succeeded(execution) == (3 if steps == 1 else 4)


def test_time_with_calls_at_once(llm: RehearsalServer) -> None:
    """C3: six that last for ever end together, not one after the other."""
    LASTS.set()
    execution = run(llm, naps(*range(6)), text(), total_timeout_ms=500)
    assert execution.stop_reason == "TOTAL_TIMEOUT"
    assert len(llm.log()) == 1
    assert execution.tool_calls.filter(status="failed", error__contains="took longer").count() == 6
    assert 500 <= execution.active_ms < 1_000 + 500


@pytest.mark.parametrize(("times", "runs"), [(2, True), (3, True), (4, False)])
def test_the_same_call_several_times_at_once(llm: RehearsalServer, times: int, runs: bool) -> None:
    """C3, M18: three are run and warned of; four at once are a loop before any has run."""
    execution = run(llm, naps(*[1] * times), text())
    assert execution.stop_reason == (None if runs else "LOOP_DETECTED")
    assert succeeded(execution) == (times if runs else 0)
    if runs:
        told = str(llm.log()[-1]["body"])
        assert ("you have now made this same call 3 times" in told) == (times == 3)

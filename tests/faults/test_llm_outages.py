"""An LLM that is overloaded, away or slow: executions are put back, their places are free."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models.functions import Now

from executions import operations
from executions.engine import thinking
from executions.models import AgentExecution
from tests import factories
from tests.faults.checking import nothing_is_violated
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import REHEARSED, text
from tests.support.standing_runner import run_until_idle

APIS = ["responses", "chat"]
CROWD, PLACES, WAIT_S = 40, 8, 30


@pytest.fixture(autouse=True)
def _verified(committed_db: None) -> Iterator[None]:
    yield
    nothing_is_violated()


def launch(word: str = "crowd", **limits: Any) -> AgentExecution:
    return operations.launch(
        agent_type=REHEARSED.name,
        input_data={"rehearse": [text(word)]},
        user=factories.system(),
        limits=limits,
    ).execution


def crowd() -> list[AgentExecution]:
    return [launch() for _ in range(CROWD)]


def fresh(executions: list[AgentExecution]) -> list[AgentExecution]:
    keys = [one.pk for one in executions]
    return list(AgentExecution.objects.filter(pk__in=keys))


def make_due() -> None:
    """Let the time pass that executions wait for."""
    AgentExecution.objects.filter(wake_at__gt=Now()).update(wake_at=Now())


@pytest.mark.parametrize(("given", "api"), [(WAIT_S, "responses"), (f"date:{WAIT_S}", "chat")])
def test_a_storm_of_429_frees_every_place_and_the_crowd_comes_back_spread(
    llm: RehearsalServer, api: str, given: Any
) -> None:
    """M1: Retry-After is kept, nobody comes earlier, and not all at the same moment."""
    storm = {"fault": "429", "retry_after": given, "times": CROWD, "match": {"contains": "crowd"}}
    llm.add_faults([storm])
    hit = crowd()
    beside = launch("beside")

    run_until_idle(base_url=llm.base_url, api=api, capacity=PLACES)

    assert llm.fired() == [CROWD]
    beside.refresh_from_db()
    assert beside.status == "completed", "forty waiting ones held none of the eight places"
    waiting = fresh(hit)
    held = {(one.status, one.lease_owner, one.attempts) for one in waiting}
    assert held == {("pending", None, 0)}
    waits = [(one.wake_at - one.updated_at).total_seconds() for one in waiting if one.wake_at]
    assert len(waits) == CROWD
    assert min(waits) >= WAIT_S - 2  # a date has no fractions of a second
    assert max(waits) <= WAIT_S * 1.1 + 1
    assert max(waits) - min(waits) > 1, "spread over the tenth that jitter adds"
    assert all(one.step_count == 0 for one in waiting), "a try is no step"

    run_until_idle(base_url=llm.base_url, api=api)
    assert len(llm.log("crowd")) == CROWD, "nobody asks before the time is over"
    make_due()
    run_until_idle(base_url=llm.base_url, api=api)
    for one in fresh(hit):
        assert one.status == "completed", one.error
        codes = [made["code"] for made in one.steps.get().tries]
        assert codes == ["LLM_RATE_LIMITED", "OK"]


@pytest.mark.parametrize(("fault", "api"), [("429", "responses"), ("529", "chat")])
def test_an_endless_outage_ends_after_twelve_tries_and_none_is_forgotten(
    llm: RehearsalServer, monkeypatch: pytest.MonkeyPatch, api: str, fault: str
) -> None:
    """M1, M2: short waits in place, long ones with the place freed; then it fails and says why."""
    monkeypatch.setattr(thinking, "PATIENCE_S", 0.5)  # the first wait is in place
    llm.add_faults([{"fault": fault, "times": 99}])
    execution = launch()
    parked = 0
    for _ in range(12):
        run_until_idle(base_url=llm.base_url, api=api)
        execution.refresh_from_db()
        if execution.is_final:
            break
        parked += 1
        assert execution.lease_owner is None
        assert len(execution.state["tries"]) == llm.fired()[0]
        make_due()

    assert llm.fired() == [12]
    assert parked >= 7
    code = "LLM_RATE_LIMITED" if fault == "429" else "LLM_UNAVAILABLE"
    assert (execution.status, execution.stop_reason) == ("failed", code)
    assert "after 12 tries" in (execution.error or "")
    assert [made["code"] for made in execution.state["tries"]] == [code] * 12
    assert execution.active_ms < 5_000, "waiting is not active time"


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("fault", ["timeout", "drip"])
def test_silence_and_a_drip_are_cut_off_and_asked_again(
    llm: RehearsalServer, api: str, fault: str
) -> None:
    """M3: the deadline is one for the whole answer; what the try cost is not known, and said so."""
    llm.add_faults([{"fault": fault, "delay_s": 60 if fault == "timeout" else 0.05, "times": 1}])
    execution = launch(step_timeout_ms=300)

    run_until_idle(base_url=llm.base_url, api=api)

    assert llm.fired() == [1]
    execution.refresh_from_db()
    assert execution.status == "completed", execution.error
    slow, answered = execution.steps.get().tries
    assert (slow["code"], slow["usage"], answered["code"]) == ("LLM_TIMEOUT", None, "OK")
    assert 300 <= slow["latency_ms"] < 3_000


def test_a_try_counts_to_the_cost_but_not_to_the_steps(llm: RehearsalServer) -> None:
    """M1, M5: an answer that nobody can use was paid for all the same."""
    llm.add_faults([{"fault": "null_content", "times": 1}])
    execution = launch(max_steps=1)
    run_until_idle(base_url=llm.base_url)
    execution.refresh_from_db()
    assert llm.fired() == [1]
    assert (execution.status, execution.step_count) == ("completed", 1)
    unusable, good = execution.steps.get().tries
    assert unusable["usage"]["total_tokens"] > 0
    both = unusable["usage"]["total_tokens"] + good["usage"]["total_tokens"]
    assert execution.token_count == both

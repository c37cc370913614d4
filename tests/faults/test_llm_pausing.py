"""What the LLM's site refuses for good pauses the agent: nothing fails, and lifting wakes all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from agentops.accounts.models import User
from executions import operations
from executions.agents import Agent
from executions.engine.config import configured_llm
from executions.engine.connections import Link
from executions.engine.switches import Switches
from executions.models import AgentControl, AgentExecution
from tests import factories
from tests.faults.beside import BESIDE
from tests.faults.checking import nothing_is_violated
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import REHEARSED, text
from tests.support.standing_runner import run_until_idle, standing_runner
from tests.support.waiting import wait_until

MANY = 60


def launch(agent: Agent = REHEARSED, **columns: Any) -> AgentExecution:
    return operations.launch(
        agent_type=agent.name,
        input_data={"rehearse": [text()]},
        user=factories.system(),
        **columns,
    ).execution


def switch() -> AgentControl | None:
    return AgentControl.objects.filter(scope="agent", key=REHEARSED.name).first()


def ended(execution: AgentExecution) -> bool:
    execution.refresh_from_db()
    return execution.is_final


@pytest.fixture
def olga(committed_db: None) -> Iterator[User]:
    yield factories.person("olga", may=["change_agentcontrol"])
    nothing_is_violated()


@pytest.mark.parametrize(
    ("fault", "api", "code", "word"),
    [
        ("401", "responses", "LLM_AUTH", "OPENAI_API_KEY"),
        ("401", "chat", "LLM_AUTH", "OPENAI_API_KEY"),
        ("403", "chat", "LLM_AUTH", "OPENAI_API_KEY"),
        ("quota", "responses", "LLM_QUOTA", "billing"),
    ],
)
def test_it_pauses_the_agent_and_says_what_to_mend(
    llm: RehearsalServer, olga: User, api: str, fault: str, code: str, word: str
) -> None:
    """M4: a key or an account that is refused pauses the agent instead of failing executions."""
    llm.add_faults([{"fault": fault, "times": 1}])
    execution = launch()

    for _ in range(2):
        run_until_idle(base_url=llm.base_url, api=api)

    assert llm.fired() == [1]
    assert len(llm.log()) == 1, "nothing is asked while it is paused"
    found = switch()
    assert found is not None
    assert (found.state, found.changed_by) == ("paused", None)
    assert found.reason.startswith(f"{code}: ")
    assert word in found.reason
    execution.refresh_from_db()
    assert (execution.status, execution.attempts, execution.error) == ("pending", 0, None)

    operations.lift(scope="agent", key=REHEARSED.name, person=olga)
    run_until_idle(base_url=llm.base_url, api=api)
    assert ended(execution)
    assert execution.status == "completed", execution.error


def test_without_a_key_it_pauses_and_names_the_missing_variable(olga: User, settings: Any) -> None:
    """M4: nothing configured is the same fault as a wrong key."""
    settings.OPENAI_API_KEY = ""
    execution = launch()

    run_until_idle(base_url="http://127.0.0.1:9/v1", llm=configured_llm(10))

    found = switch()
    assert found is not None
    assert found.reason.startswith("LLM_NOT_CONFIGURED: ")
    assert "OPENAI_API_KEY" in found.reason
    execution.refresh_from_db()
    assert execution.status == "pending"


def test_many_wait_without_being_claimed_again_and_all_wake_when_it_is_lifted(
    llm: RehearsalServer, olga: User
) -> None:
    """M4, C4: of many none fails; they are left alone while paused, and all end once lifted."""
    llm.add_faults([{"fault": "401", "times": 10 * MANY, "match": {"contains": '"rehearse'}}])
    crowd = [launch() for _ in range(MANY)]
    with standing_runner(base_url=llm.base_url):
        rows = AgentExecution.objects.filter(agent_type=REHEARSED.name)
        wait_until(
            lambda: switch() and not rows.exclude(status="pending").exists(), what="all put back"
        )
        asked, tokens = llm.fired()[0], sorted(rows.values_list("lease_token", flat=True))
        late = launch()
        llm.clear_faults()
        for _ in range(3):  # each shows that the runner has claimed meanwhile
            beside = launch(BESIDE)
            wait_until(lambda one=beside: ended(one), what="the agent beside it")

        assert 1 <= asked <= MANY
        now = rows.exclude(pk=late.pk).values_list("lease_token", flat=True)
        assert sorted(now) == tokens, "what is paused is not claimed"
        late.refresh_from_db()
        assert late.lease_token == 0

        operations.lift(scope="agent", key=REHEARSED.name, person=olga)
        wait_until(
            lambda: all(ended(one) for one in (*crowd, late)), within_s=30, what="all to end"
        )
    assert set(rows.values_list("status", flat=True)) == {"completed"}


def test_a_persons_own_switch_is_never_written_over(llm: RehearsalServer, olga: User) -> None:
    """M4: a person pulled the switch while the refused request was under way."""
    llm.add_faults([{"fault": "401", "times": 1, "delay_s": 0.5}])
    execution = launch()
    with standing_runner(base_url=llm.base_url):
        wait_until(llm.log, what="the request")
        operations.pause(scope="agent", key=REHEARSED.name, person=olga, reason="hers")
        wait_until(lambda: is_put_back(execution), what="it is put back")

    assert llm.fired() == [1]
    asyncio.run(pause_by_a_runner_that_has_not_heard())
    found = switch()
    assert found is not None
    assert (found.reason, found.changed_by) == ("hers", olga)


def is_put_back(execution: AgentExecution) -> bool:
    execution.refresh_from_db()
    return execution.status == "pending"


async def pause_by_a_runner_that_has_not_heard() -> None:
    link = Link(name="test")
    found = await Switches().pause(link, REHEARSED.name, reason="the system's", began_s_ago=0)
    await link.close()
    assert found is not None
    assert found.reason == "hers"


def test_a_refusal_of_a_request_from_before_the_lifting_does_not_pause_again(
    llm: RehearsalServer, olga: User
) -> None:
    """M4: the key was mended and the pause lifted while the old key's answer was on its way."""
    llm.add_faults([{"fault": "401", "times": 1, "delay_s": 0.8}])
    execution = launch()
    with standing_runner(base_url=llm.base_url):
        wait_until(llm.log, what="the request")
        operations.pause(scope="agent", key=REHEARSED.name, person=olga, reason="a wrong key")
        operations.lift(scope="agent", key=REHEARSED.name, person=olga, reason="mended")
        wait_until(lambda: ended(execution), within_s=30, what="the end")
    assert llm.fired() == [1]
    assert execution.status == "completed", execution.error
    found = switch()
    assert found is not None
    assert (found.state, found.reason) == ("on", "mended")

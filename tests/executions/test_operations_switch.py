"""Pause, kill, lift: who may, what is refused, and the command around them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agentops.accounts.models import User
from executions.agents import UnknownAgent
from executions.core.states import ExecutionStatus
from executions.models import AgentControl
from executions.operations import Refusal, kill, lift, pause
from executions.operations.refusals import (
    AlreadyDecided,
    NotFound,
    NotPermitted,
    ReasonMissing,
    Stale,
)
from tests import factories
from tests.executions.shell import run

pytestmark = pytest.mark.django_db
AGENT = "customer_record_steward"


@pytest.fixture
def olga() -> User:
    return factories.person("olga", may=["change_agentcontrol"])


def state(scope: str = "agent", key: str = AGENT) -> str:
    return AgentControl.objects.get(scope=scope, key=key).state


def test_a_switch_tells_who_pulled_it_when_and_why(olga: User) -> None:
    switch = pause(scope="agent", key=AGENT, person=olga, reason=" wrong\x00 rates ")
    assert (switch.state, switch.changed_by) == ("paused", olga)
    assert str(switch).startswith(f"the agent {AGENT} is paused by olga since ")
    assert "wrong" in switch.reason


def test_a_kill_goes_over_a_pause_but_a_pause_never_over_a_kill(olga: User) -> None:
    pause(scope="all", person=olga, reason="a look")
    kill(scope="all", person=olga, reason="a fire")
    for again in (pause, kill):
        with pytest.raises(AlreadyDecided, match=r"killed by olga .*: a fire"):
            again(scope="all", person=olga, reason="again")
    assert state("all", "") == "killed"


def test_lifting_what_was_changed_since_it_was_seen_is_refused(olga: User) -> None:
    seen = pause(scope="agent", key=AGENT, person=olga, reason="a look").changed_at
    with pytest.raises(Stale, match="a look"):
        lift(scope="agent", key=AGENT, person=olga, seen=seen - timedelta(seconds=1))
    assert lift(scope="agent", key=AGENT, person=olga, seen=seen).state == "on"
    with pytest.raises(NotFound, match="not any more"):
        lift(scope="agent", key=AGENT, person=olga, seen=seen)


@pytest.mark.parametrize(
    ("scope", "key", "refused"),
    [
        ("agent", "nobody", UnknownAgent),
        ("tool", "launch_rockets", NotFound),
        ("all", AGENT, Refusal),
        ("customer", "C-1001", Refusal),
    ],
)
def test_what_does_not_exist_cannot_be_switched_off(
    olga: User, scope: str, key: str, refused: type[Exception]
) -> None:
    with pytest.raises(refused):
        pause(scope=scope, key=key, person=olga, reason="why not")
    assert not AgentControl.objects.exists()


def test_a_reason_is_wanted(olga: User) -> None:
    with pytest.raises(ReasonMissing):
        pause(scope="all", person=olga, reason="  ")


def test_only_whoever_may_pulls_switches() -> None:
    sam, ann = factories.person("sam"), factories.person("ann", may=["change_agentcontrol"])
    ann.is_active = False
    for person in (sam, ann):
        for pull in (pause, kill, lift):
            with pytest.raises(NotPermitted, match=r"ask for executions\.change_agentcontrol"):
                pull(scope="all", person=person, reason="why not")
    assert not AgentControl.objects.exists()


def test_lifting_a_tool_makes_what_it_held_due_at_once(olga: User) -> None:
    pause(scope="tool", key="find_customers", person=olga, reason="a look")
    held = factories.running()
    factories.call(held, tool_name="find_customers", tool_input={}, effect="idempotent")
    other = factories.running()
    for one in (held, other):
        later = one.created_at + timedelta(hours=1)
        factories.change(one, status=ExecutionStatus.PENDING, lease_owner=None, wake_at=later)

    lift(scope="tool", key="find_customers", person=olga)

    held.refresh_from_db()
    other.refresh_from_db()
    assert held.wake_at is None
    assert other.wake_at is not None


# ---------------------------------------------------------------------- the command


def test_the_command_pauses_tells_and_lifts(olga: User) -> None:
    ran = run("switch", "agent", AGENT, "--pause", "--user", "olga", "--reason", "a look")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(f"The agent {AGENT} is paused by olga since ")
    assert run("switch").out == ran.out
    assert f'"name": "{AGENT}", "state": "paused"' in run("switch", "--json").out
    ran = run("switch", "agent", AGENT, "--lift", "--user", "olga")
    assert ran.out == f"The agent {AGENT} is on again.\n"
    assert run("switch").err == "Nothing is switched off.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("all", "--kill"), "Say why"),
        (("all",), "--pause, --kill or --lift"),
        (("agent", "customer_record", "--pause", "--reason", "x"), f"did you mean {AGENT}"),
        (("tool", "send_email", "--lift"), "not switched off"),
    ],
)
def test_the_command_refuses_in_words(arguments: tuple[str, ...], said: str) -> None:
    ran = run("switch", *arguments)
    assert ran.status == 2
    assert said in ran.err
    assert "Nothing was changed." in ran.err


def test_a_launch_and_a_look_say_what_holds_the_execution_back(olga: User) -> None:
    pause(scope="agent", key=AGENT, person=olga, reason="a look")
    ran = run("launch_agent", AGENT, "--sample", "--anyway")
    assert ran.status == 0
    assert f"It waits until this is lifted: the agent {AGENT} is paused by olga" in ran.err
    execution_id = ran.out.split()[2]
    assert "waits until this is lifted" in run("show_execution", execution_id).out

"""Launch: accepted once, with all it needs, or refused in words and nothing stored."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django_q.models import OrmQ

from agentops.accounts.models import User
from executions.agents import InputRefused, UnknownAgent
from executions.core.limits import LimitError
from executions.models import AgentExecution
from executions.operations import Launched, Refusal, launch
from executions.operations.refusals import KeyReused, NotPermitted
from tests import factories
from tests.support.rehearsed_agent import REHEARSED, text

pytestmark = pytest.mark.django_db

INPUT = {"rehearse": [text()]}


@pytest.fixture
def olga() -> User:
    return factories.person("olga", may=["launch_execution"])


def launched(user: User, **changes: Any) -> Launched:
    given: dict[str, Any] = {"agent_type": REHEARSED.name, "input_data": INPUT, "user": user}
    return launch(**{**given, **changes})


def tickets() -> int:
    return OrmQ.objects.filter(key="agents").count()


def test_it_stores_a_pending_execution_with_all_it_will_run_by(olga: User) -> None:
    made = launched(olga, limits={"max_steps": "7"}, priority=3)
    row = made.execution
    assert made.is_new
    assert (row.status, row.user, row.launched_by, row.priority) == ("pending", olga, olga, 3)
    assert (row.input_data, row.limits["max_steps"]) == (INPUT, 7)
    assert row.definition
    assert row.definition.body["instructions"] == REHEARSED.instructions
    assert tickets() == 1


def test_the_ticket_commits_or_vanishes_with_it(olga: User) -> None:
    with transaction.atomic():
        launched(olga)
        transaction.set_rollback(True)
    assert (AgentExecution.objects.count(), tickets()) == (0, 0)


def test_equal_launches_share_one_definition(olga: User) -> None:
    first, second = launched(olga).execution, launched(olga).execution
    assert first.pk != second.pk
    assert first.definition_id == second.definition_id


def test_somebody_may_launch_it_for_somebody_else(olga: User) -> None:
    sam = factories.person("sam")
    row = launched(sam, launched_by=olga).execution
    assert (row.user, row.launched_by) == (sam, olga)


def test_the_service_user_launches_without_any_permission() -> None:
    assert launched(factories.system()).execution.status == "pending"


# ------------------------------------------------------------------ idempotency keys


def test_the_same_key_launches_once(olga: User) -> None:
    first = launched(olga, idempotency_key="monday")
    again = launched(olga, idempotency_key="monday")
    assert (first.is_new, again.is_new) == (True, False)
    assert first.execution.pk == again.execution.pk
    assert (AgentExecution.objects.count(), tickets()) == (1, 1)


def test_the_same_key_with_other_input_is_refused(olga: User) -> None:
    first = launched(olga, idempotency_key="monday").execution
    with pytest.raises(KeyReused, match=f"'monday' launched execution {first.pk} with other input"):
        launched(olga, idempotency_key="monday", input_data={"rehearse": []})
    assert AgentExecution.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_has_a_sensible_length(olga: User, key: str) -> None:
    with pytest.raises(KeyReused, match="1 to 200 printable characters"):
        launched(olga, idempotency_key=key)


@pytest.mark.parametrize("key", ["monday\0", "\ud800"])
def test_a_key_that_cannot_be_stored_is_refused_in_words(olga: User, key: str) -> None:
    with pytest.raises(Refusal):
        launched(olga, idempotency_key=key)


# ------------------------------------------------------------------ refusals


def test_it_refuses_who_has_no_permission() -> None:
    sam = factories.person("sam")
    with pytest.raises(NotPermitted, match="sam may not launch rehearsed; ask for executions"):
        launched(sam)
    assert (AgentExecution.objects.count(), tickets()) == (0, 0)


def test_it_refuses_by_who_launches_not_for_whom(olga: User) -> None:
    with pytest.raises(NotPermitted):
        launched(olga, launched_by=factories.person("sam"))


def test_it_refuses_who_was_switched_off(olga: User) -> None:
    olga.is_active = False
    with pytest.raises(NotPermitted):
        launched(olga)


def test_an_unknown_agent_is_refused_with_the_nearest_names(olga: User) -> None:
    with pytest.raises(UnknownAgent, match="no agent 'reherased'; did you mean rehearsed"):
        launched(olga, agent_type="reherased")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Input for rehearsed: rehearse: Field required"),
        ({"rehearse": "x"}, "rehearse: Input should be a valid list"),
        ({"rehearse": [], "extra": 1}, "extra: Extra inputs are not permitted"),
        ([], "the input: Input should be a valid dictionary"),
        ("text", "the input: Input should be a valid dictionary"),
        (None, "the input: Input should be a valid dictionary"),
    ],
)
def test_input_that_does_not_fit_is_refused_field_by_field(
    olga: User, given: Any, said: str
) -> None:
    with pytest.raises(InputRefused, match=said):
        launched(olga, input_data=given)
    assert not AgentExecution.objects.exists()


@pytest.mark.parametrize("said", ["nul \0", "half \ud83d", "x" * 300_000])
def test_input_that_cannot_be_kept_is_refused(olga: User, said: str) -> None:
    with pytest.raises((Refusal, InputRefused), match="cannot keep"):
        launched(olga, input_data={"rehearse": [{"text": said}]})


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_stpes": 1}, "there is no limit 'max_stpes'"),
        ({"max_steps": 0}, "limit max_steps is 0"),
        ({"max_tokens": "lots"}, "limit max_tokens is 'lots'"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(
    olga: User, limits: dict[str, Any], said: str
) -> None:
    with pytest.raises(LimitError, match=said):
        launched(olga, limits=limits)
    assert not AgentExecution.objects.exists()

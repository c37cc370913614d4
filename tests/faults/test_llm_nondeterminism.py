"""Asked again, an LLM answers differently: what is done comes from the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution, AgentRunner
from executions.registry_sync import sync_registry
from tests import factories
from tests.faults.checking import nothing_is_violated
from tests.faults.gated_nap import LASTS, NAPPING, naps
from tests.rehearsal_server import RehearsalServer, start
from tests.support.rehearsed_agent import LETTER, calls, text
from tests.support.standing_runner import run_until_idle, standing_runner
from tests.support.waiting import wait_until

APIS = ["responses", "chat"]
OTHER_LETTER = calls(("send_email", {**LETTER[1], "subject": "Something else"}))


@pytest.fixture(autouse=True)
def _verified(committed_db: None) -> Iterator[None]:
    sync_registry()
    call_command("load_sample_data", verbosity=0)
    LASTS.clear()
    yield
    LASTS.clear()
    nothing_is_violated()


def launch() -> AgentExecution:
    return operations.launch(
        agent_type=NAPPING.name, input_data={"rehearse": []}, user=factories.system()
    ).execution


def requests_without_an_answer(llm: RehearsalServer) -> int:
    """How often it was asked for the first step."""
    bodies = [entry["body"] for entry in llm.log()]
    said = [body.get("input") or body.get("messages") for body in bodies]
    return sum(
        not any(
            item.get("role") == "assistant" or item.get("type") == "function_call" for item in items
        )
        for items in said
    )


def scripted(*replies: dict[str, Any]) -> dict[str, Any]:
    return {"replies": list(replies)}


@pytest.mark.parametrize("api", APIS)
def test_after_a_review_what_was_approved_runs_and_nothing_is_asked_again(
    reviewers: list[User], api: str
) -> None:
    """M19: days later another LLM would have written another letter."""
    execution = launch()
    with start(script=scripted(calls(LETTER), text())) as first:
        run_until_idle(base_url=first.base_url, api=api)
    review = execution.reviews.get()
    operations.decide(
        review_id=review.pk, person=reviewers[0], approve=True, seen_digest=review.input_digest
    )

    with start(script=scripted(OTHER_LETTER, text("as logged"))) as second:
        run_until_idle(base_url=second.base_url, api=api)
        assert requests_without_an_answer(second) == 0
        assert len(second.log()) == 1

    execution.refresh_from_db()
    assert execution.status == "completed", execution.error
    assert execution.result == {"text": "as logged"}
    (letter,) = mail.outbox
    assert letter.subject == LETTER[1]["subject"]


@pytest.mark.parametrize("api", APIS)
def test_after_a_death_the_logged_calls_run_again_and_nothing_is_asked_again(api: str) -> None:
    """M19: the runner is gone between the decision and its outcome."""
    execution, gone = launch(), []
    LASTS.set()
    with (
        start(script=scripted(naps(1, 2), text())) as first,
        start(script=scripted(naps(8, 9), text("as logged"))) as second,
    ):
        with standing_runner(base_url=first.base_url):
            wait_until(lambda: execution.tool_calls.count() == 2, what="the decision")
            gone += AgentRunner.objects.filter(dead_at=None).values_list("pk", flat=True)
            AgentRunner.objects.filter(pk__in=gone).update(dead_at=Now())
            LASTS.clear()
            run_until_idle(base_url=second.base_url, api=api)
        assert requests_without_an_answer(first) == 1
        assert requests_without_an_answer(second) == 0

    assert len(gone) == 1
    execution.refresh_from_db()
    assert execution.status == "completed", execution.error
    assert execution.lease_token == 2
    asked = execution.tool_calls.values_list("tool_input__number", "status")
    assert sorted(asked) == [(1, "succeeded"), (2, "succeeded")]

"""Whatever the LLM or its server does, an execution ends clearly and nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from agentops.accounts.models import User
from executions import operations
from executions.llm import retry
from executions.models import AgentExecution
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, READ, REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.02)


def launch(script: list[dict[str, Any]], **limits: Any) -> AgentExecution:
    return operations.launch(
        agent_type=REHEARSED.name,
        input_data={"rehearse": script},
        user=User.objects.get(username="system"),
        limits=limits,
    ).execution


def drive(llm: RehearsalServer, execution: AgentExecution, **changes: Any) -> AgentExecution:
    """Drive until it ends or waits for people, through every back-off."""

    def settled() -> bool:
        run_until_idle(base_url=llm.base_url, **changes)
        execution.refresh_from_db()
        return execution.is_final or execution.status == "awaiting_review"

    wait_until(settled, within_s=60, what="the end")
    return execution


@pytest.mark.parametrize(
    "fault",
    ["429", "500", "503", "reset", "html", "empty", "not_json", "no_choices", "null_message"],
)
def test_one_bad_answer_is_tried_again_and_logged(llm: RehearsalServer, fault: str) -> None:
    """M1, M2, M5, M6: whatever came back, the next try is the same step."""
    api = {"api": "chat"} if fault in ("no_choices", "null_message") else {}
    llm.add_faults([{"fault": fault, "times": 1, "match": api}])

    execution = drive(llm, launch([calls(READ), text()]), api="chat")

    assert llm.fired() == [1]
    assert execution.status == "completed", execution.error
    first = execution.steps.get(step_number=1)
    assert [made["code"] == "OK" for made in first.tries] == [False, True]


@pytest.mark.parametrize(
    ("fault", "code", "word"),
    [
        ("404", "LLM_NOT_FOUND", "AGENTOPS_LLM_MODEL"),
        ("400", "LLM_BAD_REQUEST", ""),
        ("413", "LLM_CONTEXT_TOO_LONG", "longer than"),
    ],
)
def test_what_trying_again_cannot_mend_ends_it_at_once_with_a_clear_error(
    llm: RehearsalServer, fault: str, code: str, word: str
) -> None:
    """M4: a wrong request, an unknown LLM, a conversation too long."""
    llm.add_faults([{"fault": fault, "times": 9}])

    execution = drive(llm, launch([text()]))

    assert llm.fired() == [1]
    assert (execution.status, execution.stop_reason) == ("failed", code)
    assert word in (execution.error or "")


def test_an_endpoint_that_is_down_parks_the_execution_and_frees_the_runner(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M2: connection refused, and the wait is longer than a runner has patience."""
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 10.0)
    execution = launch([text()])

    run_until_idle(base_url="http://127.0.0.1:9/v1")

    execution.refresh_from_db()
    assert (execution.status, execution.lease_owner) == ("pending", None)
    assert execution.wake_at is not None
    assert execution.state["tries"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("unknown_tool", "there is no tool"),
        ("bad_json_arguments", "not valid JSON"),
        ("nan", "not valid JSON"),
    ],
)
def test_a_call_that_cannot_be_understood_is_answered_and_never_run(
    llm: RehearsalServer, fault: str, said: str
) -> None:
    llm.add_faults([{"fault": fault, "times": 1}])

    execution = drive(llm, launch([calls(READ), text()]))

    assert llm.fired() == [1]
    assert execution.status == "completed", execution.error
    call = execution.tool_calls.get(step_number=1)
    assert call.status == "failed"
    assert said in (call.error or "")
    assert call.started_at is None
    assert said in str(llm.log()[-1]["body"])


def test_arguments_that_fail_the_schema_name_the_field_to_the_llm(llm: RehearsalServer) -> None:
    script = [calls(("read_customer_record", {"customer": 7})), text()]

    execution = drive(llm, launch(script))

    call = execution.tool_calls.get()
    assert call.status == "failed"
    assert "customer_id" in (call.error or "")
    assert "customer_id" in str(llm.log()[-1]["body"]["input"])


@pytest.mark.parametrize("fault", ["nul", "surrogate", "huge", "deep"])
def test_content_that_postgres_cannot_hold_never_ends_an_execution(
    llm: RehearsalServer, fault: str
) -> None:
    llm.add_faults([{"fault": fault, "times": 1, "size": 10_000_000}])

    execution = drive(llm, launch([calls(READ), text(), text()]))

    assert llm.fired() == [1]
    assert execution.status == "completed", execution.error


def test_a_final_answer_with_a_schema_is_made_fit_to_store(llm: RehearsalServer) -> None:
    """Its NUL is an escape in good JSON: only what is read from it cannot be kept."""
    llm.add_faults([{"fault": "nul", "match": {"contains": "M-2003", "nth": 2}}])
    execution = operations.launch(
        agent_type="customer_record_steward",
        input_data={"message_id": "M-2003"},
        user=User.objects.get(username="system"),
    ).execution

    drive(llm, execution)

    assert llm.fired() == [1]
    assert execution.status == "completed", execution.error
    assert execution.result["updated"] is False


def test_a_refusal_ends_it_in_the_llms_words(llm: RehearsalServer) -> None:
    llm.add_faults([{"fault": "refusal", "times": 1}])

    execution = drive(llm, launch([text()]))

    assert (execution.status, execution.stop_reason) == ("failed", "LLM_REFUSED")
    assert execution.step_count == 1
    assert execution.steps.get().problem in (execution.error or "")


def test_an_answer_cut_off_is_never_run_and_asked_for_again(llm: RehearsalServer) -> None:
    llm.add_faults([{"fault": "length", "times": 1}])

    execution = drive(llm, launch([calls(LETTER), text(), text()]))

    assert llm.fired() == [1]
    assert execution.status == "completed", execution.error
    assert not execution.reviews.exists()
    assert execution.tool_calls.exclude(status="failed").count() == 0


def test_doubled_call_ids_are_told_apart(llm: RehearsalServer) -> None:
    llm.add_faults([{"fault": "duplicate_call_ids", "times": 1}])
    script = [calls(READ, ("lookup_regulation", {"code": "AML-6"})), text()]

    execution = drive(llm, launch(script))

    assert llm.fired() == [1]
    assert execution.status == "completed", execution.error
    ids = execution.tool_calls.values_list("provider_call_id", flat=True)
    assert len(set(ids)) == len(ids) == 2


def test_two_hundred_calls_in_one_step_run_eight(llm: RehearsalServer) -> None:
    llm.add_faults([{"fault": "many_calls", "times": 1, "count": 200}])

    execution = drive(llm, launch([calls(READ), text()]))

    assert llm.fired() == [1]
    assert execution.status in ("completed", "failed")
    assert execution.tool_calls.filter(started_at__isnull=False).count() <= 8


@pytest.mark.parametrize("fault", ["missing_usage", "negative_usage", "absurd_usage"])
def test_usage_that_cannot_be_believed_is_estimated(llm: RehearsalServer, fault: str) -> None:
    llm.add_faults([{"fault": fault, "times": 1}])

    execution = drive(llm, launch([text()]))

    assert llm.fired() == [1]
    assert execution.status == "completed", execution.error
    step = execution.steps.get()
    assert step.usage_estimated
    assert 0 < execution.token_count < 100_000


@pytest.mark.parametrize("api", ["responses", "chat"])
def test_a_rejections_reason_is_in_the_next_request_for_that_call(
    llm: RehearsalServer, reviewers: list[User], api: str
) -> None:
    execution = drive(llm, launch([calls(LETTER), text("understood")]), api=api)
    assert execution.status == "awaiting_review"
    review = execution.reviews.get()
    reason = "The customer asked for a letter on paper."

    operations.decide(
        review_id=review.pk,
        person=reviewers[0],
        approve=False,
        seen_digest=review.input_digest,
        reason=reason,
    )
    drive(llm, execution, api=api)

    assert execution.status == "completed"
    call = execution.tool_calls.get()
    assert (call.status, call.started_at) == ("rejected", None)
    body = llm.log()[-1]["body"]
    items = body["input"] if api == "responses" else body["messages"]
    key, content = ("call_id", "output") if api == "responses" else ("tool_call_id", "content")
    (answer,) = [
        item for item in items
        if item.get(key) == call.provider_call_id and content in item
    ]  # fmt: skip
    assert reason in answer[content]
    assert "rejected" in answer[content]

"""Answers no honest LLM gives: told so, never run, and the execution goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail

from agentops.accounts.models import User
from executions import operations
from executions.agents import Agent
from executions.llm import retry
from executions.models import AgentExecution
from tests import factories
from tests.faults.beside import BESIDE
from tests.faults.checking import nothing_is_violated
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, READ, REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle

APIS = ["responses", "chat"]
SEND, GOOD = LETTER
BODY = '"subject": "Hello", "body": "We looked."'


@pytest.fixture(autouse=True)
def _verified(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.02)
    yield
    assert mail.outbox == [], "nobody approved anything here"
    nothing_is_violated()


def driven(
    llm: RehearsalServer, api: str, *script: dict[str, Any], agent: Agent = REHEARSED
) -> AgentExecution:
    execution = operations.launch(
        agent_type=agent.name,
        input_data={"rehearse": list(script)},
        user=factories.system(),
        limits={"max_tokens": 10_000_000},
    ).execution
    run_until_idle(base_url=llm.base_url, api=api)
    execution.refresh_from_db()
    return execution


def answers(llm: RehearsalServer, api: str) -> list[dict[str, Any]]:
    """The tool answers in the last request, in order, each {"id", "said"}."""
    body = llm.log()[-1]["body"]
    if api == "responses":
        found = [one for one in body["input"] if one.get("type") == "function_call_output"]
        return [{"id": one["call_id"], "said": one["output"]} for one in found]
    found = [one for one in body["messages"] if one["role"] == "tool"]
    return [{"id": one["tool_call_id"], "said": one["content"]} for one in found]


def none_of_it_ran(execution: AgentExecution, count: int) -> list[str]:
    """Each call failed before it started and nobody was asked; return their errors in order."""
    made = execution.tool_calls.order_by("step_number", "call_index")
    assert {call.status for call in made} == {"failed"}
    assert {call.started_at for call in made} == {None}
    assert not execution.reviews.exists()
    errors = [call.error or "" for call in made]
    assert len(errors) == count
    return errors


NOT_JSON = {
    "single quotes": "{'to': ['a@example.org'], 'subject': 'x', 'body': 'y'}",
    "trailing comma": f'{{"to": ["a@example.org"], {BODY},}}',
    "fenced": f'```json\n{{"to": ["a@example.org"], {BODY}}}\n```',
    "duplicate keys": f'{{"to": ["a@example.org"], "to": ["b@example.org"], {BODY}}}',
    "NaN": f'{{"to": ["a@example.org"], {BODY}, "n": NaN}}',
    "infinite": f'{{"to": ["a@example.org"], {BODY}, "n": -Infinity}}',
    "too large": f'{{"to": ["a@example.org"], {BODY}, "n": 1e400}}',
    "endless integer": f'{{"to": ["a@example.org"], {BODY}, "n": {"9" * 5_000}}}',
    "deep": f'{{"to": {"[" * 10_000}{"]" * 10_000}, {BODY}}}',
    "cut off": '{"to": ["a@exa',
    "two values": f'{{"to": ["a@example.org"], {BODY}}} {{}}',
}
NOT_FITTING = {
    "a number": "5",
    "a list": "[]",
    "nothing": "",
    "null": "null",
    "missing": '{"subject": "x", "body": "y"}',
    "extra": f'{{"to": ["a@example.org"], {BODY}, "bcc": ["spy@example.org"]}}',
    "wrong type": f'{{"to": "a@example.org", {BODY}}}',
    "out of range": f'{{"to": [], {BODY}}}',
    "huge": f'{{"to": ["a@example.org"], "subject": "x", "body": "{"y" * 100_000}"}}',
    "NUL": f'{{"to": ["a@example.org\\u0000"], {BODY}}}',
    "lone surrogate": '{"to": ["a@example.org"], "subject": "\\ud800", "body": "y"}',
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("given", "said"),
    [(NOT_JSON, "the arguments are not valid JSON"), (NOT_FITTING, "")],
    ids=["not JSON", "not fitting"],
)
def test_arguments_that_are_wrong_reach_neither_the_tool_nor_a_person(
    llm: RehearsalServer, api: str, given: dict[str, str], said: str
) -> None:
    """M9, M11, M15: strictly read, never mended; each fault is told to the LLM."""
    script = [calls((SEND, raw)) for raw in given.values()]

    execution = driven(llm, api, *script, text())

    assert execution.status == "completed", execution.error
    errors = dict(zip(given, none_of_it_ran(execution, len(given)), strict=True))
    assert all(errors.values()), errors
    assert all(said in error for error in errors.values()), errors
    told = answers(llm, api)
    assert len(told) == len(given)
    assert all("failed" in one["said"] for one in told)


NAMES = (
    *("Send_Email", "SEND_EMAIL", " send_email", "send_email\n", "send-email", "send_email\u200b"),
    *("s\u0435nd_email", "\uff53end_email", "send_email()", "", "x" * 10_000, "../send_email"),
)


@pytest.mark.parametrize("api", APIS)
def test_a_name_that_only_looks_like_a_tools_is_never_dispatched(
    llm: RehearsalServer, api: str
) -> None:
    """M10: other case, look-alike letters, hidden characters, no name at all."""
    execution = driven(llm, api, *[calls((name, GOOD)) for name in NAMES], text())

    assert execution.status == "completed", execution.error
    errors = none_of_it_ran(execution, len(NAMES))
    assert all("there is no tool" in error for error in errors)
    assert not execution.tool_calls.filter(tool_name=SEND).exists()


@pytest.mark.parametrize("api", APIS)
def test_a_tool_that_exists_but_is_not_this_agents_is_never_dispatched(
    llm: RehearsalServer, api: str
) -> None:
    """M10: the registry has it, the agent's definition does not."""
    execution = driven(llm, api, calls(LETTER), text(), agent=BESIDE)
    assert execution.status == "completed", execution.error
    (error,) = none_of_it_ran(execution, 1)
    assert "your tools are: find_customers" in error


@pytest.mark.parametrize("api", APIS)
def test_whatever_ids_its_calls_have_each_is_answered_once_and_in_order(
    llm: RehearsalServer, api: str
) -> None:
    """M12: empty, 10 KB, twice in one message, used in an earlier step, not printable."""
    given = ["", "x" * 10_000, "twin", "twin", "kept", "\u00e9\n", "twin"]
    steps = [given[:5], given[5:], ["twin", "kept"]]
    number = iter(range(100))
    script = [
        {"calls": [finding(next(number), id=one) for one in ids]}  # no two alike: it is no loop
        for ids in steps
    ]

    execution = driven(llm, api, *script, text())

    assert execution.status == "completed", execution.error
    made = list(execution.tool_calls.order_by("step_number", "call_index"))
    assert {call.status for call in made} == {"succeeded"}
    ids = [call.provider_call_id for call in made]
    assert len(set(ids)) == len(ids) == 9
    assert all(0 < len(one) <= 64 for one in ids)
    assert "kept" in ids
    assert [one["id"] for one in answers(llm, api)] == ids


def finding(number: int, **more: Any) -> dict[str, Any]:
    return {"name": "find_customers", "arguments": {"query": f"customer {number}"}, **more}


@pytest.mark.parametrize("api", APIS)
def test_two_hundred_calls_at_once_run_eight_and_answer_all(llm: RehearsalServer, api: str) -> None:
    """M13: the others are told to ask again."""
    many = {"calls": [finding(number) for number in range(200)]}

    execution = driven(llm, api, many, text())

    assert execution.status == "completed", execution.error
    made = execution.tool_calls
    assert made.filter(status="succeeded").count() == 8
    assert made.filter(started_at=None, error__contains="at most 8").count() == 192
    assert len(answers(llm, api)) == 200


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("fault", ["cut", "truncated", "streamed", "length"])
def test_an_answer_broken_off_in_a_call_runs_nothing_and_is_asked_again(
    llm: RehearsalServer, api: str, fault: str
) -> None:
    """M7, M16: a broken connection, a proxy that cuts, a stream with one event twice, no room."""
    llm.add_faults([{"fault": fault, "times": 1}])
    execution = driven(llm, api, calls(LETTER, LETTER), text())
    assert llm.fired() == [1]
    if fault == "length":  # an answer of its own, with its own step
        assert execution.status == "completed", execution.error
        assert len(none_of_it_ran(execution, 2)) == 2
        return
    assert execution.status == "awaiting_review"
    assert execution.step_count == 1
    assert execution.tool_calls.count() == execution.open_reviews == 2, "from the whole answer only"
    assert [made["code"] == "OK" for made in execution.steps.get().tries] == [False, True]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("fault", "reason"), [("refusal", "LLM_REFUSED"), ("content_filter", "CONTENT_FILTERED")]
)
def test_a_refusal_is_not_asked_again(
    llm: RehearsalServer, api: str, fault: str, reason: str
) -> None:
    """M8: it ends with the LLM's words, or says that the provider filtered the answer."""
    llm.add_faults([{"fault": fault, "times": 1}])
    execution = driven(llm, api, text())
    assert llm.fired() == [1]
    assert (execution.status, execution.stop_reason) == ("failed", reason)
    assert len(llm.log()) == 1


@pytest.mark.parametrize(  # each over both APIs in tests/llm
    ("fault", "api"),
    [
        *(("html", "responses"), ("empty", "chat"), ("not_json", "responses")),
        *(("no_choices", "chat"), ("null_message", "responses"), ("null_content", "chat")),
    ],
)
def test_a_body_that_is_no_answer_three_times_fails_it_with_how_it_began(
    llm: RehearsalServer, api: str, fault: str
) -> None:
    """M5, M6: with a short excerpt, and each try kept."""
    llm.add_faults([{"fault": fault, "times": 9}])
    execution = driven(llm, api, text())
    assert llm.fired() == [3]
    assert (execution.status, execution.stop_reason) == ("failed", "BAD_REPLY")
    assert len(execution.error or "") <= 2048
    assert [made["code"] for made in execution.state["tries"]] == ["BAD_REPLY"] * 3


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("fault", ["nul", "surrogate", "deep", "huge"])
def test_content_that_postgres_cannot_hold_ends_nothing(
    llm: RehearsalServer, api: str, fault: str
) -> None:
    """M15: in arguments and in the final answer; what is huge is refused before it is read."""
    llm.add_faults([{"fault": fault, "times": 2, "size": 12_000_000}])
    execution = driven(llm, api, calls(READ), text(), text())
    assert llm.fired() == [2]
    assert execution.status == "completed", execution.error


@pytest.mark.parametrize("api", APIS)
def test_a_mixed_message_runs_its_reads_and_asks_once_when_all_is_answered(
    llm: RehearsalServer, reviewers: list[User], api: str
) -> None:
    """M14: text, a read and two gated calls in one message."""
    other = (SEND, {**GOOD, "subject": "Another"})
    mixed = {**calls(READ, LETTER, other), "text": "I look, then I write."}
    execution = driven(llm, api, mixed, text())

    assert (execution.status, execution.open_reviews) == ("awaiting_review", 2)
    assert execution.steps.get().response["text"] == "I look, then I write."
    read = execution.tool_calls.get(call_index=0)
    assert read.status == "succeeded"
    for review in execution.reviews.order_by("call__call_index"):
        run_until_idle(base_url=llm.base_url, api=api)
        assert len(llm.log()) == 1, "not asked while a call is unanswered"
        operations.decide(
            review_id=review.pk,
            person=reviewers[0],
            approve=False,
            seen_digest=review.input_digest,
            reason="Not today.",
        )
    run_until_idle(base_url=llm.base_url, api=api)

    execution.refresh_from_db()
    assert execution.status == "completed", execution.error
    assert len(llm.log()) == 2
    told = answers(llm, api)
    made = execution.tool_calls.order_by("call_index")
    assert [one["id"] for one in told] == [call.provider_call_id for call in made]
    assert ["Not today." in one["said"] for one in told] == [False, True, True]

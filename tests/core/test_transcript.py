"""What the LLM is shown: every call answered once, in order, and people's words in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executions.core.states import ANSWERED
from executions.core.transcript import (
    ANSWER_CHARS,
    AssistantMessage,
    CallRecord,
    RequestedCall,
    StepRecord,
    ToolAnswer,
    UserMessage,
    build,
    identical,
)

WARN_AT = 3
NEVER = 1_000
EDITED = {"to": "dora@example.org"}
ASKED = {"by": "rita", "question": "Is this her new address?"}


def record(wire_id: str = "1", *, step: int = 1, **changes: Any) -> CallRecord:
    given: dict[str, Any] = {
        "tool_name": "send_email",
        "status": "succeeded",
        "proposed": {"to": "ana@example.org"},
        "output": {"sent": True},
        **changes,
    }
    given.setdefault("arguments", given["proposed"])
    return CallRecord(wire_id=wire_id, step_number=step, **given)


def conversation(calls: Sequence[CallRecord], *, warn_at: int = NEVER) -> list[Any]:
    """The transcript of steps that asked for exactly these calls."""
    steps = [
        StepRecord(
            number=number,
            message=AssistantMessage(
                text=None,
                calls=tuple(
                    RequestedCall(id=c.wire_id, name=c.tool_name, arguments="{}")
                    for c in calls
                    if c.step_number == number
                ),
            ),
        )
        for number in sorted({call.step_number for call in calls})
    ]
    return list(build("Input", steps, calls, warn_at=warn_at))


def told(call: CallRecord) -> Any:
    return json.loads(conversation([call])[-1].text)


# ------------------------------------------------------------------ any story at all (I11)

outcomes = st.sampled_from(sorted(ANSWERED))
small = st.sampled_from([{"to": "ana"}, {"to": "dora"}, {}])
one_call = st.tuples(outcomes, small, small, st.sampled_from([None, {"reason": "no"}, [1], "x"]))
stories = st.lists(
    st.tuples(st.lists(one_call, max_size=4), st.sampled_from([None, "Too long."])), max_size=6
)


@settings(max_examples=60, deadline=None, database=None)
@given(stories)
def test_every_call_is_answered_exactly_once_in_emission_order(story: list[Any]) -> None:
    steps, calls = told_story(story)
    items = build("Input", steps, calls, warn_at=WARN_AT)
    expected: list[str] = ["user"]
    for step in steps:
        expected += ["assistant", *(call.id for call in step.message.calls)]
        expected += ["user"] if step.problem else []
    assert [shape(item) for item in items] == expected


def told_story(story: list[Any]) -> tuple[list[StepRecord], list[CallRecord]]:
    steps, calls = [], []
    for number, (asked, problem) in enumerate(story, start=1):
        made = [
            record(
                f"{number}-{index}", step=number, status=status.value,
                proposed=proposed, arguments=arguments, output=output,
            )
            for index, (status, proposed, arguments, output) in enumerate(asked)
        ]  # fmt: skip
        requested = tuple(RequestedCall(id=c.wire_id, name="t", arguments="{}") for c in made)
        message = AssistantMessage(text=None, calls=requested)
        steps.append(StepRecord(number=number, message=message, problem=problem))
        calls += made
    return steps, calls[::-1]  # rows may come in any order


def shape(item: Any) -> str:
    if isinstance(item, ToolAnswer):
        return item.call_id
    return "user" if isinstance(item, UserMessage) else "assistant"


def test_the_same_rows_always_give_the_same_conversation() -> None:
    one = record(output={"b": 1, "a": {"y": 2, "x": 3}})
    other = record(output={"a": {"x": 3, "y": 2}, "b": 1})
    assert conversation([one]) == conversation([other])


# ------------------------------------------------------------------ what people said (I10)


def test_the_reason_of_a_rejection_reaches_the_llm() -> None:
    words = {"by": "rita", "reason": "Ana left in May."}
    answer = told(record(status="rejected", output=words))
    assert (answer["status"], answer["reason"]) == ("rejected", "Ana left in May.")
    assert "do not repeat this call unchanged" in answer["note"]


def test_a_question_reaches_the_llm_in_place_of_an_outcome() -> None:
    answer = told(record(status="rejected", output=ASKED))
    assert (answer["status"], answer["question"], answer["by"]) == (
        *("not executed", "Is this her new address?", "rita"),
    )
    assert "Answer it in words" in answer["note"]
    assert "propose the call again if it is still right" in answer["note"]
    assert "do not repeat" not in answer["note"]


@pytest.mark.parametrize("output", [{"question": ["no text"]}, {"question": ""}, ["question"], "x"])
def test_what_holds_no_question_in_words_is_told_as_a_rejection(output: Any) -> None:
    assert told(record(status="rejected", output=output))["status"] == "rejected"


def test_an_edit_is_told_with_the_arguments_that_ran() -> None:
    answer = told(record(arguments=EDITED))
    assert answer["edited_by_person"] == EDITED
    assert answer["output"] == {"sent": True}
    assert "do not repeat the original" in answer["edit_note"]


@pytest.mark.parametrize("status", ["failed", "rejected", "expired", "cancelled"])
def test_an_edited_call_that_did_not_run_says_both(status: str) -> None:
    answer = told(record(arguments=EDITED, status=status, error="no such mailbox"))
    assert (answer["status"], answer["edited_by_person"]) == (status, EDITED)
    assert "do not repeat the original" in answer["edit_note"]


def test_an_expired_review_is_told_as_such() -> None:
    assert "nobody decided in time" in told(record(status="expired", output=None))["note"]


def test_a_call_dropped_by_a_person_tells_why() -> None:
    words = {"settled_by": "rita", "reason": "not worth it"}
    answer = told(record(status="cancelled", output=words))
    assert (answer["status"], answer["reason"]) == ("cancelled", "not worth it")


def test_an_unedited_output_is_passed_on_as_it_is() -> None:
    assert told(record(output={"found": [1, 2]})) == {"found": [1, 2]}


def test_a_failure_without_words_still_says_something() -> None:
    assert told(record(status="failed", output=None)) == {"status": "failed", "error": "no details"}


# ------------------------------------------------------------------ repeats and length


def repeats(many: int, **changes: Any) -> list[CallRecord]:
    return [record(str(number), step=number, **changes) for number in range(1, many + 1)]


def test_the_third_identical_call_is_warned_about() -> None:
    answers = conversation(repeats(4), warn_at=3)[2::2]
    warned = ["this same call" in answer.text for answer in answers]
    assert warned == [False, False, True, True]
    assert "this same call 3 times" in answers[2].text


def test_other_arguments_or_another_tool_are_another_call() -> None:
    first, second = repeats(2)
    other = record("2", step=2, proposed={"to": "dora@example.org"})
    tool = record("2", step=2, tool_name="find_customers")
    assert [identical([first, x]) for x in (second, other, tool)] == [2, 1, 1]


def test_a_call_that_was_asked_about_may_be_proposed_again() -> None:
    asked = [record(str(number), step=number, status="rejected", output=ASKED) for number in (1, 2)]
    again = record("3", step=3)
    assert identical([*asked, again]) == 1
    assert identical(asked) == 0
    assert not any("this same call" in item.text for item in conversation([*asked, again])[2::2])


def test_the_order_of_keys_does_not_hide_a_repeat() -> None:
    first = record("1", proposed={"a": 1, "b": 2})
    assert identical([first, record("2", step=2, proposed={"b": 2, "a": 1})]) == 2


def test_only_what_the_latest_step_repeats_counts() -> None:
    assert identical([*repeats(3), record("9", step=4, proposed={"new": 1})]) == 1
    assert identical([]) == 0


def test_repeats_within_one_step_count_too() -> None:
    assert identical([record("1"), record("2"), record("3")]) == 3


def test_a_long_answer_is_shown_by_head_and_tail() -> None:
    text = conversation([record(output="a" * 20_000 + "z" * 20_000)])[-1].text
    assert len(text) < ANSWER_CHARS + 100
    assert text.startswith('"aaa')
    assert text.endswith('zzz"')
    assert "24002 characters left out" in text

"""Which replies can be used, what the LLM is told of the others, and when it ends."""

from __future__ import annotations

import pytest

from executions.core.answers import latest, problem
from executions.core.decide import Answer
from executions.core.transcript import AssistantMessage, Finish, Reply, RequestedCall, StepRecord

A_CALL = RequestedCall(id="1", name="find_customers", arguments="{}")


def fine(_: str) -> None:
    return None


def unfit(_: str) -> str:
    return "name: field required"


def step(
    number: int, *, trouble: str | None = None, finish: Finish = Finish.STOP, calls: int = 0
) -> StepRecord:
    message = AssistantMessage(text="…", calls=(A_CALL,) * calls)
    return StepRecord(number=number, message=message, finish=finish, problem=trouble)


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_an_empty_answer_is_unusable(text: str | None) -> None:
    assert "was empty" in str(problem(Reply(text=text), fine))


def test_an_answer_that_does_not_fit_is_told_why() -> None:
    assert problem(Reply(text="{}"), unfit) == "name: field required"
    assert problem(Reply(text="{}"), fine) is None


def test_calls_need_no_text_and_no_fitting() -> None:
    reply = Reply(text=None, calls=(A_CALL,), finish=Finish.TOOL_CALLS)
    assert problem(reply, unfit) is None


def test_a_cut_off_answer_is_unusable_even_with_calls() -> None:
    reply = Reply(text="half a", calls=(A_CALL,), finish=Finish.LENGTH)
    assert "cut off" in str(problem(reply, fine))


@pytest.mark.parametrize("finish", [Finish.REFUSAL, Finish.CONTENT_FILTER])
def test_a_refusal_keeps_the_llms_own_words(finish: Finish) -> None:
    assert problem(Reply(text=None, refusal="I can't.", finish=finish), fine) == "I can't."
    assert problem(Reply(text=None, finish=finish), fine) == "The request was refused."


def test_no_answer_while_tools_are_asked_for() -> None:
    assert latest([]) is None
    assert latest([step(1, calls=1)]) is None


def test_a_usable_answer_has_no_problem() -> None:
    answer = latest([step(1, calls=1), step(2)])
    assert answer is not None
    assert answer.problem is None


def test_the_llm_may_correct_itself_twice_in_a_row() -> None:
    steps = [step(number, trouble="bad") for number in (1, 2, 3)]
    assert [left(steps[:many]) for many in (1, 2, 3)] == [2, 1, 0]


def test_a_good_step_between_gives_the_tries_back() -> None:
    assert left([step(1, trouble="bad"), step(2, calls=1), step(3, trouble="bad")]) == 2


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        (Finish.STOP, "INVALID_ANSWER"),
        (Finish.LENGTH, "ANSWER_TRUNCATED"),
        (Finish.REFUSAL, "LLM_REFUSED"),
        (Finish.CONTENT_FILTER, "CONTENT_FILTERED"),
    ],
)
def test_each_kind_of_unusable_answer_has_its_stop_reason(finish: Finish, reason: str) -> None:
    answer = latest([step(1, trouble="bad", finish=finish, calls=int(finish is Finish.LENGTH))])
    assert answer is not None
    assert (answer.problem, answer.stop_reason) == ("bad", reason)


@pytest.mark.parametrize("finish", [Finish.REFUSAL, Finish.CONTENT_FILTER])
def test_a_refusal_is_never_asked_again(finish: Finish) -> None:
    assert left([step(1, trouble="no", finish=finish)]) == 0


def left(steps: list[StepRecord]) -> int:
    answer = latest(steps)
    assert isinstance(answer, Answer)
    return answer.tries_left

"""Words from outside that PostgreSQL cannot keep, in places where nobody looks for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from executions import operations
from executions.engine import answering, runner
from executions.llm import responses
from tests import factories
from tests.executions.test_misbehaving_llm import drive, launch
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, READ, calls, text
from tests.support.standing_runner import standing_runner
from tests.support.waiting import wait_until
from tools.base import ToolError
from tools.registry import TOOLS

NO_END = """
CREATE FUNCTION refuse_its_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = 'check_violation'; END $$;
CREATE TRIGGER refuse_its_end BEFORE UPDATE ON agent_executions FOR EACH ROW
    WHEN (NEW.stop_reason = 'INTERNAL_ERROR') EXECUTE FUNCTION refuse_its_end();
"""


def test_a_name_that_the_llm_gives_itself_never_ends_an_execution(
    llm: RehearsalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer's `model`, which goes into the step's row, is the other side's to choose."""
    read = responses.read

    def renamed(response: Any, **more: Any) -> Any:
        return read({**response, "model": "gpt\x00\ud800" + "x" * 1_000_000}, **more)

    monkeypatch.setattr(responses, "read", renamed)

    execution = drive(llm, launch([calls(READ), text()]))

    assert execution.status == "completed", execution.error
    names = execution.steps.values_list("llm", flat=True)
    assert all(name.startswith("gpt\ufffd\ufffdx") and len(name) < 500 for name in names)


def test_what_a_tool_says_at_the_last_moment_never_ends_an_execution(
    llm: RehearsalServer, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """Its refusal is the LLM's to hear, whatever characters are in it."""

    def says_no(arguments: Any) -> None:
        raise ToolError("the other side says \x00\ud800 no")

    execution = drive(llm, launch([calls(LETTER), text()]))
    review = execution.reviews.get()
    settings.AGENTOPS_UNDO_S = 0
    operations.decide(
        review_id=review.pk, person=factories.reviewer("rita"), approve=True,
        seen_digest=review.input_digest,
    )  # fmt: skip
    monkeypatch.setitem(TOOLS, "send_email", replace(TOOLS["send_email"], check=says_no))

    drive(llm, execution)

    assert execution.status == "completed", execution.error
    call = execution.tool_calls.get()
    assert (call.status, call.started_at) == ("failed", None)
    assert "\ufffd\ufffd no" in str(call.error)


def test_an_error_whose_words_cannot_be_kept_ends_it_all_the_same(
    llm: RehearsalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be put back as an orphan, ask the LLM anew and break again, for ever."""

    def breaks(*_: Any) -> None:
        raise RuntimeError("of an agent's own check: \x00\ud800")

    monkeypatch.setattr(answering, "unfit", breaks)

    execution = drive(llm, launch([text()]))

    assert (execution.status, execution.stop_reason) == ("failed", "INTERNAL_ERROR")


def test_what_is_put_back_because_it_could_not_even_be_ended_is_not_asked_for_ever(
    llm: RehearsalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A6: each round without a step counts like a death, or it would cost an LLM request each."""

    def breaks(*_: Any) -> None:
        raise RuntimeError("of an agent's own check")

    monkeypatch.setattr(answering, "unfit", breaks)
    monkeypatch.setattr(runner, "TICK_S", 0.02)
    monkeypatch.setattr(runner, "ORPHANS_EVERY_S", 0.0)
    execution = launch([text()])
    with connection.cursor() as cursor:
        cursor.execute(NO_END)
    try:
        with standing_runner(base_url=llm.base_url):
            wait_until(lambda: factories.fresh(execution).is_final, what="its end")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse_its_end() CASCADE")

    assert (execution.status, execution.stop_reason) == ("failed", "POISONED")
    assert "taken up 5 times" in str(execution.error)
    assert len(llm.log()) == 5

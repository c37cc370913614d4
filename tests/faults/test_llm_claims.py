"""An LLM that says it is done without having done it, or says nothing at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command

from executions import operations
from executions.llm import retry
from executions.models import AgentExecution
from executions.registry_sync import sync_registry
from tests import factories, rehearsal_server
from tests.faults.checking import nothing_is_violated
from tests.support.standing_runner import run_until_idle

APIS = ["responses", "chat"]
CLAIM = {"text": json.dumps({"updated": True, "fields": ["phone"], "summary": "Changed."})}
TRUTH = {"text": json.dumps({"updated": False, "fields": [], "summary": "Nothing was changed."})}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.02)


def ended(api: str, *replies: dict[str, Any]) -> tuple[AgentExecution, list[dict[str, Any]]]:
    """Let the steward say these replies; return how it ended, and what was asked."""
    sync_registry()
    call_command("load_sample_data", verbosity=0)
    execution = operations.launch(
        agent_type="customer_record_steward",
        input_data={"message_id": "M-2001"},
        user=factories.system(),
    ).execution
    with rehearsal_server.start(script={"replies": list(replies)}) as server:
        run_until_idle(base_url=server.base_url, api=api)
        told = server.log()
    execution.refresh_from_db()
    nothing_is_violated()
    return execution, told


@pytest.mark.parametrize("api", APIS)
def test_a_claim_that_no_call_bears_out_is_not_the_result(committed_db: None, api: str) -> None:
    """M20: told so, the LLM may answer truthfully, and that is the result."""
    execution, told = ended(api, CLAIM, TRUTH)
    assert execution.status == "completed", execution.error
    assert execution.result["updated"] is False
    assert "no update_customer_record has succeeded" in str(told[1]["body"])
    problems = [step.problem for step in execution.steps.order_by("step_number")]
    assert [bool(problem) for problem in problems] == [True, False]


@pytest.mark.parametrize("api", APIS)
def test_a_claim_that_is_repeated_fails_it(committed_db: None, api: str) -> None:
    """M20: three times the same, and a person reads why."""
    execution, told = ended(api, CLAIM, CLAIM, CLAIM, TRUTH)
    assert (execution.status, execution.stop_reason) == ("failed", "INVALID_ANSWER")
    assert "no update_customer_record has succeeded" in (execution.error or "")
    assert len(told) == 3


@pytest.mark.parametrize(("empty", "api"), [("", "responses"), (" \n\t ", "chat")])
def test_an_empty_final_answer_is_no_result(committed_db: None, api: str, empty: str) -> None:
    """M6, M20: asked again twice, then it fails and says so."""
    execution, told = ended(api, {"text": empty})
    assert (execution.status, execution.stop_reason) == ("failed", "BAD_REPLY")
    assert "neither text nor tool calls" in (execution.error or "")
    assert execution.result is None
    assert len(told) == 3

"""Both agents from launch to end, over both APIs, judged by the outside world's own ledgers."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from django.db import connection
from pypdf import PdfReader

from agentops.accounts.models import User
from executions.models import AgentExecution, AgentRunner
from tests.journeys.conftest import World, check_invariants, drive_to_end, launch, until
from tests.support.rehearsed_agent import READ
from tests.support.waiting import wait_until
from tools.models import Customer, Document

pytestmark = pytest.mark.processes

GENERATOR, STEWARD = "compliance_document_generator", "customer_record_steward"


@pytest.mark.parametrize("api", ["responses", "chat"])
def test_both_agents_do_their_work_once_each(
    world: World, reviewers: list[User], tmp_path: Path, api: str
) -> None:
    world.cluster(AGENTOPS_LLM_API=api)
    generator = until(launch(GENERATOR), "awaiting_review")
    assert world.letters() == []
    assert world.authority.filings() == []
    assert generator.lease_owner is None
    wait_until(
        lambda: not AgentRunner.objects.filter(dead_at=None, in_flight__gt=0).exists(),
        what="a runner that holds nothing",
    )
    steward = launch(STEWARD, message_id="M-2002")
    drive_to_end(generator, reviewers)
    drive_to_end(steward, reviewers)

    assert generator.status == "completed", generator.error
    (filing,) = world.authority.filings()
    document = Document.objects.get(pk=generator.result["document_id"])
    submitted = generator.tool_calls.get(tool_name="submit_to_regulator")
    assert filing["document_sha256"] == document.sha256 == submitted.tool_input["document_sha256"]
    assert filing["idempotency_key"] == submitted.idempotency_key
    assert generator.result["filing_id"] == filing["filing_id"]
    pages = PdfReader(BytesIO(bytes(document.content))).pages
    assert document.customer.name in pages[0].extract_text()
    assert document.document_id in "".join(page.extract_text() for page in pages)

    assert steward.status == "completed", steward.error
    changed = steward.tool_calls.get(tool_name="update_customer_record", status="succeeded")
    assert Customer.objects.get(pk=changed.tool_input["customer_id"]).version >= 2
    assert steward.reviews.get(pk=changed.review_id).risk == "low"

    sent = AgentExecution.objects.filter(
        tool_calls__tool_name="send_email", tool_calls__status="succeeded"
    )
    assert len(world.letters()) == sent.count() == 2
    check_invariants(tmp_path, world)


def test_a_launch_by_plain_sql_runs_like_any_other(
    world: World, reviewers: list[User], tmp_path: Path
) -> None:
    world.cluster()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agent_executions(user_id, agent_type, input_data)"
            " SELECT id, 'customer_record_steward', '{\"message_id\": \"M-2002\"}'"
            " FROM accounts_user WHERE username = 'system' RETURNING id"
        )
        row = cursor.fetchone()
    execution = AgentExecution.objects.get(pk=row[0])

    drive_to_end(execution, reviewers)

    assert execution.status == "completed", execution.error
    assert execution.definition is not None
    assert execution.limits["max_steps"]
    check_invariants(tmp_path, world)


def test_a_launch_by_plain_sql_of_an_unknown_agent_fails_with_its_reason(world: World) -> None:
    world.cluster()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agent_executions(user_id, agent_type, input_data)"
            " SELECT id, 'compliance_generator', '{}' FROM accounts_user"
            " WHERE username = 'system' RETURNING id"
        )
        row = cursor.fetchone()

    execution = until(AgentExecution.objects.get(pk=row[0]), "failed")

    assert execution.stop_reason == "DEFINITION_REMOVED"
    assert GENERATOR in (execution.error or "")


def test_a_cluster_told_to_stop_puts_back_what_it_drives(
    world: World, reviewers: list[User], tmp_path: Path
) -> None:
    """SIGTERM drains: the step under way is kept, the execution goes on in the next cluster."""
    first = world.cluster()
    world.llm.add_faults([{"fault": "delay", "delay_s": 3, "match": {"contains": "C-1001"}}])
    execution = launch(GENERATOR)
    wait_until(lambda: world.llm.fired() == [1], what="the LLM call under way")

    first.stop()
    execution.refresh_from_db()
    assert (execution.status, execution.attempts) == ("pending", 0)
    assert execution.step_count == 1
    world.cluster()
    drive_to_end(execution, reviewers)

    assert execution.status == "completed", execution.error
    assert READ[0] in execution.tool_calls.values_list("tool_name", flat=True)
    check_invariants(tmp_path, world)

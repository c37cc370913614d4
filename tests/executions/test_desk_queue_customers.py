"""Whose business a review is: said by the tool when people are asked, kept with the review."""

from __future__ import annotations

import pytest

from executions import operations
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, calls, text
from tests.support.standing_runner import run_until_idle
from tools.registry import TOOLS

CHANGE = ("update_customer_record", desk.CHANGE)


def test_the_gate_writes_down_whom_each_call_is_about(llm: RehearsalServer) -> None:
    script = {"rehearse": [calls(LETTER, CHANGE), text()]}
    operations.launch(agent_type="rehearsed", input_data=script, user=factories.system())
    run_until_idle(base_url=llm.base_url)
    found = dict(AgentReview.objects.values_list("tool_name", "customer_id"))
    assert found == {"send_email": "C-1001", "update_customer_record": "C-1002"}


@pytest.mark.django_db
def test_a_filing_is_about_whom_its_document_is_about() -> None:
    desk.load_sample_data()
    desk.report()
    tool = TOOLS["submit_to_regulator"]
    assert tool.customer_of(tool.parse(desk.FILING)) == "C-1001"
    gone = tool.parse({**desk.FILING, "document_id": "DOC-000000000000"})
    assert tool.customer_of(gone) is None


@pytest.mark.django_db
def test_an_edit_may_make_it_somebody_elses() -> None:
    desk.load_sample_data()
    rita, review = factories.reviewer("rita"), desk.proposed(customer="C-1001")
    other = factories.fresh(review).call.tool_input | {"to": ["finance@halden-trade.example"]}
    newer = operations.edit(
        review_id=review.pk, person=rita, arguments=other, seen_digest=review.input_digest
    )
    assert newer.customer_id == "C-1003"

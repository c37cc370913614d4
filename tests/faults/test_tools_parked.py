"""A call that was cut off and may not run again yet: parked half done, and still accounted for."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import operations
from executions.core.breaker import FAILURES
from executions.models import AgentBreaker
from tests import factories
from tests.factories import fresh
from tests.rehearsal_server import RehearsalServer
from tests.support.noting import form
from tests.support.rehearsed_agent import text
from tests.support.standing_runner import run_until_idle
from tests.support.trial import TRIAL, trial
from tools.base import Effect


def test_cancelling_what_waits_half_done_behind_a_breaker_leaves_its_doubt_to_people(
    rehearsal: RehearsalServer,
) -> None:
    """T12: nobody drives it, but its effect may have happened: it cannot simply end."""
    one = factories.running(agent_type=TRIAL, input_data={"rehearse": [text()]})
    call = factories.call(
        one, tool_name="leave_note", tool_input={"word": "x"}, effect="idempotent"
    )
    factories.start(call)
    later = Now() + timedelta(minutes=5)
    AgentBreaker.objects.create(
        tool_name="leave_note", failures=FAILURES, opened_at=Now(), open_until=later
    )
    with trial(form("free", effect=Effect.IDEMPOTENT)):
        run_until_idle(base_url=rehearsal.base_url)
        assert (fresh(one).status, fresh(call).status) == ("pending", "running")
        operations.cancel(execution_id=one.pk, person=User.objects.get(username="system"))
        run_until_idle(base_url=rehearsal.base_url)

    assert (fresh(one).status, fresh(call).status) == ("cancelled", "in_doubt")
    assert one.reviews.get(status="open").kind == "doubt"

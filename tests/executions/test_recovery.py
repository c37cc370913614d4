"""Housekeeping rings for what nobody heard, and is harmless when repeated."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import Schedule

from executions.engine.recovery import recover
from executions.engine.schedules import SCHEDULES, sync_schedules
from executions.housekeeping import each_minute
from executions.models import AgentRunner
from tests import factories

pytestmark = pytest.mark.django_db


def tickets(key: str = "agents") -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_q_ormq WHERE key = %s", [key])
        return int(cursor.fetchone()[0])


def runner(**columns: object) -> AgentRunner:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agent_runners (host, pid, capacity, lease_until)"
            " VALUES ('elsewhere', 1, 1, now() + interval '15 s') RETURNING id"
        )
        (id,) = cursor.fetchone()
    AgentRunner.objects.filter(pk=id).update(**columns)
    return AgentRunner.objects.get(pk=id)


def test_it_rings_for_a_pending_execution_whose_ticket_was_lost() -> None:
    """Q1: no runner stands; housekeeping comes by each minute."""
    factories.execution()

    assert recover()["rang"] == 1
    assert tickets() == 1


def test_it_does_not_ring_for_what_is_not_due_yet() -> None:
    factories.execution(wake_at=Now() + timedelta(minutes=5))

    assert "rang" not in recover()


def test_it_buries_a_runner_whose_lease_ran_out_and_rings_for_what_it_held() -> None:
    gone = runner(lease_until=Now() - timedelta(seconds=1))
    held = factories.running()
    factories.change(held, lease_owner=gone.pk, lease_token=F("lease_token") + 1)

    found = recover()

    assert (found["buried"], found["rang"]) == (1, 1)
    assert factories.fresh(gone).dead_at is not None


def test_it_forgets_the_logins_that_are_over() -> None:
    for key, hours in (("over", -1), ("lasts", 1)):
        Session.objects.create(
            session_key=key, session_data="", expire_date=timezone.now() + timedelta(hours=hours)
        )

    assert recover()["logged_out"] == 1
    assert Session.objects.get().session_key == "lasts"


def test_it_leaves_a_living_runner_and_what_it_holds_alone() -> None:
    held = factories.running()
    factories.change(held, lease_owner=runner().pk, lease_token=F("lease_token") + 1)

    assert set(recover().values()) == {0}


def test_it_frees_an_execution_that_waits_for_nothing() -> None:
    one = factories.running()
    factories.change(one, status="awaiting_review", lease_owner=None)

    assert recover()["unstuck"] == 1
    assert factories.fresh(one).status == "pending"


def test_it_expires_what_nobody_decided_in_time_and_wakes_the_agent() -> None:
    one = factories.waiting()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agent_reviews DISABLE TRIGGER USER")
        cursor.execute("UPDATE agent_reviews SET expires_at = now() - interval '1 s'")
        cursor.execute("ALTER TABLE agent_reviews ENABLE TRIGGER USER")

    assert each_minute()["expired"] == 1
    assert each_minute()["expired"] == 0

    assert factories.fresh(one).status == "pending"
    assert one.tool_calls.get().status == "expired"


def test_schedules_come_from_code_alone() -> None:
    Schedule.objects.create(name="planted", func="os.system", schedule_type="I", minutes=1)

    sync_schedules()

    assert set(Schedule.objects.values_list("name", flat=True)) == set(SCHEDULES)

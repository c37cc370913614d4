"""Retry: a new execution from one that has ended, and nothing is done twice unawares (C5)."""

from __future__ import annotations

import re
import threading
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution, AgentToolCall
from executions.operations import effects_done, retry
from executions.operations.refusals import (
    AlreadyDecided,
    EffectsDone,
    NotFound,
    NotPermitted,
    Refusal,
)
from tests import factories
from tests.executions.shell import run

AGENT = "customer_record_steward"
INPUT = {"message_id": "M-2001"}


@pytest.fixture
def olga(db: None) -> User:
    return factories.person("olga", may=["launch_execution", "view_*"], is_staff=True)


def ended(*, calls: int = 0, status: str = "failed", **columns: object) -> AgentExecution:
    """An execution that ended after so many letters were sent."""
    one = factories.running(agent_type=AGENT, input_data=INPUT, **columns)
    for _ in range(calls):
        review = factories.gated(one, expires_in=None)
        approver = factories.reviewer(f"rita{uuid4().hex[:6]}")
        letter = factories.start(factories.approve(review, approver))
        factories.change(letter, status="succeeded", tool_output={}, finished_at=Now())
    reason = {} if status == "completed" else {"stop_reason": "X", "error": "X: no"}
    factories.change(one, status=status, lease_owner=None, completed_at=Now(), **reason)
    return one


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["retry 1 of {}", "retry 12 of {}:3", "retry x"])
def test_nobody_takes_the_keys_by_which_retries_launch(olga: User, form: str) -> None:
    """C5: whoever had one would keep everybody from retrying that execution."""
    old = ended()
    with pytest.raises(Refusal, match="are kept for retries; use another"):
        operations.launch(
            agent_type=AGENT,
            input_data={"message_id": "M-2002"},
            user=olga,
            idempotency_key=form.format(old.pk),
        )
    assert retry(execution_id=old.pk, person=olga).is_new


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["failed", "completed"])
def test_it_launches_the_same_input_for_the_same_user_anew(olga: User, status: str) -> None:
    """C5: linked by retry_of, under the present definition; what has ended stays ended."""
    old = ended(status=status)

    new = retry(execution_id=old.pk, person=olga).execution

    assert (new.status, new.retry_of_id, new.input_data) == ("pending", old.pk, INPUT)
    assert (new.user, new.launched_by) == (old.user, olga)
    assert new.definition_id
    old.refresh_from_db()
    assert old.status == status


@pytest.mark.django_db
def test_what_was_done_must_be_known_before_it_can_be_done_again(olga: User) -> None:
    """C5: each effect, also those of what it retried, has been shown to the person."""
    old = ended(calls=2)
    with pytest.raises(EffectsDone, match="send_email") as refused:
        retry(execution_id=old.pk, person=olga)
    first, second = refused.value.calls
    with pytest.raises(EffectsDone) as again:
        retry(execution_id=old.pk, person=olga, acknowledged=[first.pk])
    assert again.value.calls == [second]
    assert not old.retries.exists()

    shown = [first.pk, second.pk]
    new = retry(execution_id=old.pk, person=olga, acknowledged=shown).execution
    operations.cancel(execution_id=new.pk, person=factories.system())
    assert [call.pk for call in effects_done(new)] == shown
    with pytest.raises(EffectsDone):
        retry(execution_id=new.pk, person=olga)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("effect", "status", "started", "counts"),
    [
        ("once", "in_doubt", True, True),
        ("transactional", "succeeded", True, True),
        ("once", "cancelled", False, False),
        ("transactional", "cancelled", True, False),
        ("idempotent", "failed", True, False),
        ("read", "succeeded", True, False),
    ],
)
def test_an_effect_is_what_may_have_happened(
    effect: str, status: str, started: bool, counts: bool
) -> None:
    one = factories.running()
    call = factories.call(one, tool_name="find_customers", effect=effect)
    if started:
        factories.start(call)
    final = {} if status == "in_doubt" else {"finished_at": Now()}
    factories.change(call, status=status, **final)
    assert (effects_done(one) == [call]) == counts


@pytest.mark.django_db
def test_a_doubt_that_was_dropped_may_have_happened() -> None:
    one, rita = factories.running(), factories.reviewer("rita")
    call = factories.start(factories.approve(factories.gated(one), rita))
    doubt = factories.doubt(call)
    operations.settle(
        review_id=doubt.pk, person=rita, verdict="drop", seen_digest=call.input_digest, reason="?"
    )
    assert effects_done(one) == [call]
    assert effects_done(one)[0].status == "cancelled"


@pytest.mark.django_db
def test_it_refuses_what_has_not_ended_and_a_second_retry_beside_one(olga: User) -> None:
    with pytest.raises(Refusal, match="has not ended: it is running"):
        retry(execution_id=factories.running().pk, person=olga)
    with pytest.raises(NotFound):
        retry(execution_id=uuid4(), person=olga)
    old = ended()
    first = retry(execution_id=old.pk, person=olga).execution
    with pytest.raises(AlreadyDecided, match=str(first.pk)):
        retry(execution_id=old.pk, person=olga)
    operations.cancel(execution_id=first.pk, person=factories.system())
    assert retry(execution_id=old.pk, person=olga).is_new


@pytest.mark.django_db
def test_only_whoever_may_launch_may_retry() -> None:
    old = ended(calls=1)
    with pytest.raises(NotPermitted, match=r"executions\.launch_execution"):
        retry(execution_id=old.pk, person=factories.person("sam"))


def test_two_people_at_once_launch_one(committed_db: None) -> None:
    """C5: whoever comes second is given the first one's, or told of it."""
    old, gate = ended(), threading.Barrier(2)
    found: list[object] = []

    def press(person: User) -> None:
        gate.wait(10)
        try:
            found.append(retry(execution_id=old.pk, person=person).execution.pk)
        except AlreadyDecided as refusal:
            found.append(refusal)
        connection.close()

    people = [factories.person(name, may=["launch_execution"]) for name in ("olga", "omar")]
    threads = [threading.Thread(target=press, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    (only,) = old.retries.all()
    assert len(found) == 2
    assert all(one == only.pk or isinstance(one, AlreadyDecided) for one in found)


# ---------------------------------------------------------------------- the command


@pytest.mark.django_db
def test_the_command_lists_what_was_done_and_wants_to_be_told_twice(olga: User) -> None:
    old = ended(calls=1)
    ran = run("retry_execution", str(old.pk)[:8], "--user", "olga")
    assert ran.status == 2
    assert "succeeded: Send an e-mail to ana@example.org" in ran.err
    assert "Give --again" in ran.err
    assert not old.retries.exists()

    ran = run("retry_execution", str(old.pk), "--user", "olga", "--again")
    (new,) = old.retries.all()
    assert (ran.status, ran.out) == (0, f"Launched {AGENT} {new.pk}, a retry of {old.pk}.\n")


# ---------------------------------------------------------------------- the page


def button(client: Client, one: AgentExecution) -> dict[str, list[str]]:
    """What the button on the page sends, with its box ticked when there is one."""
    page = client.get(reverse("execution", args=[one.pk])).content.decode()
    form = page[page.index('id="retry"') :]
    form = form[: form.index("</form>")]
    sent = {"seen": re.findall(r'name="seen" value="([^"]+)"', form)}
    return {**sent, "again": ["yes"]} if 'name="again"' in form else sent


@pytest.mark.django_db
def test_the_page_shows_what_was_done_and_launches_once_it_is_ticked(
    client: Client, olga: User
) -> None:
    old = ended(calls=2)
    client.force_login(olga)
    address = reverse("execution-retry", args=[old.pk])
    sent = button(client, old)
    assert len(sent["seen"]) == 2
    for without in ({"seen": sent["seen"]}, {"again": ["yes"]}, {**sent, "seen": ["x"]}):
        response = client.post(address, without)
        assert response.status_code == 409
        assert "Not launched." in response.content.decode()
    assert not old.retries.exists()

    response = client.post(address, sent, follow=True)
    (new,) = old.retries.all()
    assert response.redirect_chain[0][0] == reverse("execution", args=[new.pk])
    page = response.content.decode()
    assert "Launched anew." in page
    assert "A retry of" in page
    assert str(new.pk) in client.get(reverse("execution", args=[old.pk])).content.decode()


@pytest.mark.django_db
def test_the_page_offers_it_only_where_it_can_be_done(client: Client, olga: User) -> None:
    client.force_login(olga)
    page = client.get(reverse("execution", args=[factories.running().pk])).content.decode()
    assert 'id="retry"' not in page
    old = ended()
    client.force_login(factories.person("vera", may=["view_agentexecution"]))
    assert 'id="retry"' not in client.get(reverse("execution", args=[old.pk])).content.decode()
    assert client.post(reverse("execution-retry", args=[old.pk])).status_code == 403
    assert AgentToolCall.objects.count() == 0

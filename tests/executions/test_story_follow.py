"""An execution's page follows it while it runs or waits, and leaves it alone at the end."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db

FOLLOWS = re.compile(r'hx-get="([^"]*/followed/[^"]*)" hx-trigger="every (\d+)s')


@pytest.fixture
def olga(client: Client) -> User:
    person = factories.person("olga", may=["view_agentexecution", "cancel_execution"])
    client.force_login(person)
    return person


def told(client: Client, execution: AgentExecution) -> str:
    page = client.get(reverse("execution", args=[execution.pk]))
    return str(page.content.decode())


def asks(page: str) -> str:
    """Return the address that the page or its answer asks for next."""
    found = FOLLOWS.search(page)
    assert found
    return unescape(found[1])


def test_only_a_death_is_told_as_one(client: Client, olga: User) -> None:
    one = factories.running()
    factories.change(one, attempts=1)  # the claim under way
    assert "recovered" not in told(client, one)
    factories.change(one, attempts=2)
    assert "recovered, 1 death without progress" in told(client, one)
    factories.change(one, status="pending", lease_owner=None)
    assert "recovered" not in told(client, one)


def test_it_answers_only_what_changed_until_it_is_over(client: Client, olga: User) -> None:
    one = factories.running()
    desk.log_step(one, "I look.")
    first = asks(told(client, one))
    with CaptureQueriesContext(connection) as asked:
        assert client.get(first).status_code == 204
    assert len(asked) == 5  # four to know who asks

    desk.think(one, "Now I know.")
    anew = client.get(first).content.decode()
    assert "Now I know." in anew
    assert 'hx-swap-oob="beforeend:#steps"' in anew
    assert "I look." not in anew, "it stands on the page as it was"
    again = asks(anew)
    assert client.get(again).status_code == 204

    factories.change(
        factories.fresh(one), status="completed", lease_owner=None, completed_at=Now(), result={}
    )
    last = client.get(again).content.decode()
    assert "Completed in" in last
    assert "Now I know." not in last
    assert FOLLOWS.search(last) is None
    assert last.count("<tr>") == 1, "the moments since, not all"
    over = told(client, one)
    assert FOLLOWS.search(over) is None
    assert "refresh" not in over


def test_what_may_still_change_is_put_anew_in_its_place(client: Client, olga: User) -> None:
    review = desk.proposed()
    waits = told(client, review.execution)
    assert "every 10s" in waits
    first = asks(waits)
    rita, digest = factories.reviewer("rita"), review.input_digest
    operations.decide(
        review_id=review.pk, person=rita, approve=False, seen_digest=digest, reason="Not now."
    )
    anew = client.get(first).content.decode()
    step = f'id="step-{review.call.step_number}" hx-swap-oob="true"'
    assert step in anew
    assert "Not now." in anew
    assert "every 2s" in anew


def test_without_javascript_the_page_loads_itself_until_told_otherwise(
    client: Client, olga: User
) -> None:
    one = factories.running()
    address = reverse("execution", args=[one.pk])
    assert f'http-equiv="refresh" content="5; url={address}"' in told(client, one)
    assert "refresh" not in client.get(address, {"still": ""}).content.decode()


def followed(client: Client, execution: AgentExecution, **told: str) -> HttpResponse:
    response = client.get(reverse("execution-followed", args=[execution.pk]), told)
    assert isinstance(response, HttpResponse)
    return response


def test_nonsense_is_refused_and_nothing_known_is_told_all(client: Client, olga: User) -> None:
    one = factories.running()
    assert followed(client, one, last_step="-1").status_code == 400
    assert "Works on step" in followed(client, one).content.decode()

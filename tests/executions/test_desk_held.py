"""What a reviewer reads while a switch holds back what they decide on."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_follow import part, state_of, told

pytestmark = pytest.mark.django_db

UNTIL = "waits until Olga Orlova's switch over"
STRIP = 'id="switched" hx-swap-oob="true"'


@pytest.fixture
def olga() -> User:
    return factories.person(
        "olga", may=["change_agentcontrol", "approve_*"], first_name="Olga", last_name="Orlova"
    )


def page(client: Client, review: AgentReview) -> str:
    return str(client.get(desk.url(review)).content.decode())


def read(page: str) -> str:
    """Return a page's words, without the marks around them."""
    return unescape(re.sub("<[^>]*>", "", page))


@pytest.mark.parametrize(
    ("scope", "key", "place"),
    [
        ("all", "", "everything"),
        ("agent", "customer_record_steward", "the agent customer_record_steward"),
        ("tool", "send_email", "the tool send_email"),
    ],
)
def test_no_confirmation_promises_what_a_switch_holds_back(
    client: Client, rita: User, olga: User, scope: str, key: str, place: str
) -> None:
    review = desk.proposed()
    assert UNTIL not in read(page(client, review))
    operations.kill(scope=scope, key=key, person=olga, reason="why")
    assert f"Approved now, it {UNTIL} {place} is lifted." in read(page(client, review))
    factories.approve(review, rita)
    factories.change(review.execution, status="pending")
    assert f"It {UNTIL} {place} is lifted." in read(told(client, review))


def test_another_tool_s_switch_holds_nothing_back(client: Client, rita: User, olga: User) -> None:
    operations.kill(scope="tool", key="submit_to_regulator", person=olga, reason="why")
    assert UNTIL not in read(page(client, desk.proposed()))


def test_the_strip_follows_what_becomes_of_it(client: Client, rita: User, olga: User) -> None:
    review = desk.proposed()
    factories.approve(review, rita)
    factories.change(review.execution, status="pending")
    off = operations.kill(scope="all", person=olga, reason="why")
    held = state_of(page(client, review))
    assert part(client, review, held).status_code == 204
    operations.lift(scope="all", person=olga, seen=off.changed_at)
    lifted = part(client, review, held).content.decode()
    assert f"<div {STRIP}>\n</div>" in lifted
    assert "as soon as a runner takes it up" in lifted

    one, token = review.execution, F("lease_token") + 1
    factories.change(one, status="running", lease_owner=review.pk, lease_token=token)
    factories.start(factories.fresh(review.call))
    assert STRIP not in part(client, review, state_of(lifted)).content.decode()


def test_a_switch_is_lifted_from_the_strip_onto_the_review(
    client: Client, rita: User, olga: User
) -> None:
    review = desk.proposed()
    factories.approve(review, rita)
    factories.change(review.execution, status="pending", wake_at=Now())
    before = state_of(page(client, review))
    operations.kill(scope="all", person=olga, reason="why")
    client.force_login(olga)
    strip = part(client, review, before).content.decode()
    assert f'name="next" value="{reverse("review", args=[review.pk])}"' in strip

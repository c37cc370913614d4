from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions.models import AgentExecution
from tests import factories

pytestmark = pytest.mark.django_db

STEWARD = "customer_record_steward"


@pytest.fixture
def olga(client: Client) -> User:
    person = factories.person("olga", may=["launch_execution", "view_agentexecution"])
    client.force_login(person)
    return person


def address(agent: str = STEWARD) -> str:
    return f"{reverse('launch')}?agent={agent}"


def filled(client: Client, **changes: str) -> dict[str, str]:
    """What the blank form would send, with these changes."""
    page = client.get(address()).content.decode()
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    return {"input_data": '{"message_id": "M-2001"}', "limits": "", "key": key[1], **changes}


def test_it_offers_every_agent(client: Client, olga: User) -> None:
    page = client.get(reverse("launch")).content.decode()
    assert f"?agent={STEWARD}" in page
    assert "?agent=compliance_document_generator" in page


def test_the_form_begins_with_the_agents_sample(client: Client, olga: User) -> None:
    page = client.get(address()).content.decode()
    assert "&quot;message_id&quot;: &quot;M-2001&quot;" in page


def test_it_launches_and_shows_the_story(client: Client, olga: User) -> None:
    form = filled(client, limits="max_steps = 7\nmax_cost_usd = 0.50")
    response = client.post(address(), form)
    one = AgentExecution.objects.get()
    assert response.headers["Location"] == reverse("execution", args=[one.pk])
    assert (one.agent_type, one.user, one.launched_by) == (STEWARD, olga, olga)
    assert one.input_data == {"message_id": "M-2001"}
    assert one.limits["max_steps"] == 7


def test_a_double_click_launches_once(client: Client, olga: User) -> None:
    form = filled(client)
    first, second = client.post(address(), form), client.post(address(), form)
    assert first.headers["Location"] == second.headers["Location"]
    assert AgentExecution.objects.count() == 1


def test_going_back_with_other_input_launches_another_when_asked_again(
    client: Client, olga: User
) -> None:
    form = filled(client)
    client.post(address(), form)
    other = {**form, "input_data": '{"message_id": "M-2002"}'}
    refused = client.post(address(), other)
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "This form has launched before." in page
    assert "M-2002" in page
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    client.post(address(), {**other, "key": key[1]})
    assert AgentExecution.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"input_data": "{not json"}, "This is not JSON"),
        ({"input_data": ""}, "This field is required."),
        ({"input_data": '{"message_id": "X-1"}'}, "message_id: String should match pattern"),
        ({"input_data": '{"message_id": "M-2001", "more": 1}'}, "more: Extra inputs"),
        ({"input_data": "[1, 2]"}, "the input: Input should be"),
        ({"limits": "max_steps"}, "is not like max_steps = 10"),
        ({"limits": "max_setps = 4"}, "there is no limit"),
        ({"limits": "max_steps = many"}, "expected a whole number"),
        ({"limits": "max_steps = 0"}, "expected a whole number above 0"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(
    client: Client, olga: User, changes: dict[str, str], said: str
) -> None:
    response = client.post(address(), filled(client, **changes))
    assert response.status_code == 422
    page = response.content.decode()
    (field,) = changes
    place = page[page.index(f'id="id_{field}_error"') :]
    assert said in place[: place.index("</ul>")]
    assert not AgentExecution.objects.exists()


def test_it_needs_its_right(client: Client) -> None:
    client.force_login(factories.reviewer("rita"))
    assert client.get(address()).status_code == 403
    assert client.post(address(), {"input_data": "{}"}).status_code == 403


def test_there_is_no_form_for_an_unknown_agent(client: Client, olga: User) -> None:
    assert client.get(address("nobody")).status_code == 404

"""The banner on every page, its button, and the page that pulls switches."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentBreaker, AgentControl
from executions.operations.refusals import Refusal
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db
AGENT = "customer_record_steward"
PAUSED = f"The agent {AGENT} is paused"
LIFT = 'action="/switches/lift/"'


@pytest.fixture
def olga() -> User:
    return factories.person("olga", may=["change_agentcontrol", "view_*"], is_staff=True)


def paused(person: User, reason: str = "wrong rates") -> AgentControl:
    return operations.pause(scope="agent", key=AGENT, person=person, reason=reason)


def read(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode())


def banner_form(page: str) -> dict[str, str]:
    """What the banner's button sends."""
    form = page[page.index(LIFT) :]
    form = form[: form.index("</form>")]
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    sent.pop("csrfmiddlewaretoken")
    return sent


def test_a_banner_on_every_page_says_what_is_off_why_and_by_whom(
    client: Client, olga: User
) -> None:
    """C4: desk, pages and administration; who may not lift it sees no button."""
    review = desk.proposed()
    paused(olga, "wrong \u202erates<b>")
    rita = factories.reviewer("rita")
    rita.is_staff = True
    rita.save()
    for person, has_button in ((rita, False), (olga, True)):
        client.force_login(person)
        places = [desk.url(review), reverse("admin:index")] if person == rita else []
        for address in [*places, reverse("reviews")]:
            page = read(client, address)
            assert PAUSED in page, address
            assert "by olga since" in page
            assert "rates&lt;b&gt;" in page
            assert "\u202e" not in page
            assert (LIFT in page) == has_button
    client.logout()
    assert PAUSED not in read(client, reverse("login"))


def test_what_nothing_heeds_is_not_told_to_be_off(client: Client, olga: User) -> None:
    """C4: plain SQL can switch a customer off, and the customer's calls start all the same."""
    AgentControl.objects.create(scope="customer", key="C-1001", state="killed", reason="sanctions")
    client.force_login(olga)
    for address in (reverse("reviews"), reverse("switches")):
        assert "C-1001" not in read(client, address)
    with pytest.raises(Refusal, match="'customer' cannot be switched off"):
        operations.pause(scope="customer", key="C-1001", person=olga, reason="sanctions")


def test_its_button_lifts_and_leads_back(client: Client, olga: User) -> None:
    paused(olga)
    client.force_login(olga)
    sent = banner_form(read(client, reverse("metrics")))
    response = client.post(reverse("switch-lift"), sent, follow=True)
    assert response.redirect_chain == [(reverse("metrics"), 302)]
    page = response.content.decode()
    assert f"The agent {AGENT} is on again." in page
    assert PAUSED not in page
    again = client.post(reverse("switch-lift"), sent, follow=True)
    assert "not any more" in again.content.decode()


def test_a_story_says_what_holds_it_back(client: Client, olga: User) -> None:
    one = factories.execution(agent_type=AGENT)
    client.force_login(olga)
    address = reverse("execution", args=[one.pk])
    assert "Waits for a runner" in read(client, address)
    paused(olga)
    assert f"Waits until the switch over the agent {AGENT} is lifted" in read(client, address)


def test_a_banner_of_an_older_switch_lifts_nothing(client: Client, olga: User) -> None:
    paused(olga)
    client.force_login(olga)
    sent = banner_form(read(client, reverse("reviews")))
    operations.kill(scope="agent", key=AGENT, person=olga, reason="worse")
    response = client.post(reverse("switch-lift"), sent, follow=True)
    assert "changed since you looked" in response.content.decode()
    assert AgentControl.objects.get().state == "killed"


@pytest.mark.parametrize(
    "sent", [{}, {"place": "all:"}, {"place": "all:", "seen": "yesterday", "next": "/"}]
)
def test_what_is_no_form_of_ours_changes_nothing(
    client: Client, olga: User, sent: dict[str, str]
) -> None:
    paused(olga)
    client.force_login(olga)
    assert client.post(reverse("switch-lift"), sent).status_code == 400
    assert AgentControl.objects.get().state == "paused"


def test_it_leads_nowhere_outside(client: Client, olga: User) -> None:
    paused(olga)
    client.force_login(olga)
    sent = banner_form(read(client, reverse("reviews")))
    response = client.post(reverse("switch-lift"), {**sent, "next": "https://elsewhere.example/"})
    assert response.headers["Location"] == reverse("switches")


def test_the_page_pauses_and_kills(client: Client, olga: User) -> None:
    client.force_login(olga)
    sent = {"place": "tool:send_email", "verb": "kill", "reason": "wrong letterhead"}
    shown = client.post(reverse("switches"), sent).content.decode()
    assert "Kill the tool send_email?" in shown
    assert not AgentControl.objects.exists(), "it has been asked, no more"
    back = client.post(reverse("switches"), {**sent, "step": "back"}).content.decode()
    assert "wrong letterhead</textarea>" in back
    response = client.post(reverse("switches"), {**sent, "step": "confirm"}, follow=True)
    assert "The tool send_email is killed." in response.content.decode()
    found = AgentControl.objects.get()
    assert (found.scope, found.key, found.state) == ("tool", "send_email", "killed")
    assert (found.reason, found.changed_by) == ("wrong letterhead", olga)


def test_nothing_is_chosen_before_a_person_chooses(client: Client, olga: User) -> None:
    client.force_login(olga)
    page = read(client, reverse("switches"))
    assert re.findall(r'value="([^"]*)" selected', page) == [""]
    sent = {"place": "", "verb": "kill", "reason": "x", "step": "confirm"}
    assert client.post(reverse("switches"), sent).status_code == 422
    assert not AgentControl.objects.exists()


def test_it_says_what_would_stop_before_it_does(client: Client, olga: User) -> None:
    client.force_login(olga)
    factories.running(agent_type=AGENT)
    factories.execution(agent_type=AGENT)
    factories.execution(agent_type="another")
    waits = factories.running(agent_type=AGENT)
    factories.approve(factories.gated(waits), factories.reviewer("rita"))
    factories.change(waits, status="pending", lease_owner=None)

    def asked(place: str, verb: str) -> list[str]:
        sent = {"place": place, "verb": verb, "reason": "x"}
        page = client.post(reverse("switches"), sent).content.decode()
        return re.findall(r"<li>([^<]*)</li>", page[page.index("What this holds back now") :])

    assert asked(f"agent:{AGENT}", "kill") == [
        "1 execution running now: LLM requests under way are broken off.",
        "2 executions ready to go on, left waiting.",
        "1 approved action not started yet, left waiting.",
    ]
    assert asked("all:", "pause")[:2] == [
        "1 execution running now: the step under way ends.",
        "3 executions ready to go on, left waiting.",
    ]
    assert asked("tool:send_email", "pause") == ["1 approved action not started yet, left waiting."]
    assert asked("tool:submit_to_regulator", "pause") == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": " "}, "required"),
        ({"place": "agent:nobody"}, "not one of the available choices"),
        ({}, "Somebody was faster"),
    ],
)
def test_the_page_refuses_and_keeps_what_was_typed(
    client: Client, olga: User, changes: dict[str, str], said: str
) -> None:
    paused(olga)
    client.force_login(olga)
    sent = {"place": f"agent:{AGENT}", "verb": "pause", "reason": "my words", "step": "confirm"}
    sent |= changes
    response = client.post(reverse("switches"), sent)
    assert response.status_code == 422
    page = response.content.decode()
    assert said in page
    assert sent["reason"].strip() in page


def test_only_whoever_may_gets_there(client: Client) -> None:
    client.force_login(factories.reviewer("rita"))
    for response in (
        client.get(reverse("switches")),
        client.post(reverse("switches"), {"place": "all:", "verb": "kill", "reason": "x"}),
        client.post(reverse("switch-lift"), {}),
    ):
        assert response.status_code == 403
        assert "executions.change_agentcontrol" in response.content.decode()
    assert reverse("switches") not in read(client, reverse("reviews"))


def test_the_banner_tells_of_a_tool_that_its_breaker_shut_and_lifts_that_too(
    client: Client, olga: User
) -> None:
    """T12: beside a person's pause of the same tool, which stays."""
    AgentBreaker.objects.create(
        tool_name="send_email", failures=20, last_error="out of <reach>",
        opened_at=Now(), open_until=Now() + timedelta(minutes=5),
    )  # fmt: skip
    client.force_login(olga)

    page = read(client, reverse("reviews"))
    assert "The tool send_email is shut</b> by its circuit breaker" in page
    assert "20 times in a row, at last with: out of &lt;reach&gt;" in page
    assert "one call tries for all at" in page
    operations.pause(scope="tool", key="send_email", person=olga, reason="audit")
    client.post(reverse("switch-lift"), banner_form(page))

    assert not AgentBreaker.objects.exists()
    assert AgentControl.objects.get(key="send_email").state == "paused"
    assert "The tool send_email is paused" in read(client, reverse("reviews"))

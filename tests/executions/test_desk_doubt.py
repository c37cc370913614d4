"""A call whose outcome nobody knows: a person finds out and says so."""

from __future__ import annotations

import pytest
from django.test import Client

from agentops.accounts.models import User
from executions.models import AgentReview
from executions.pages.sentences import event
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def doubt(rita: User) -> AgentReview:
    return desk.in_doubt(factories.reviewer("omar"))


def settle(
    client: Client, doubt: AgentReview, verdict: str, reason: str = "Seen in the server's log."
) -> tuple[int, str]:
    form = {"verdict": verdict, "seen_digest": doubt.input_digest, "reason": reason}
    response = client.post(desk.url(doubt, "settle"), form)
    return response.status_code, response.content.decode()


def test_the_page_asks_what_happened_and_offers_no_approval(
    client: Client, doubt: AgentReview
) -> None:
    page = client.get(desk.url(doubt)).content.decode()
    assert "Did it happen?" in page
    assert "nobody knows" in page
    assert str(doubt.call.idempotency_key) in page
    assert 'name="verdict" value="happened"' in page
    assert 'popovertarget="confirm"' not in page


def test_it_happened(client: Client, doubt: AgentReview) -> None:
    assert settle(client, doubt, "happened", "Message-ID found")[0] == 302
    call = factories.fresh(doubt.call)
    assert call.status == "succeeded"
    assert call.tool_output["reference"] == "Message-ID found"
    assert "Settled: it happened." in client.get(desk.url(doubt)).content.decode()


def chips(page: str) -> str:
    return page.split('id="chips"')[1].split("</div>", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("verdict", "became", "found"),
    [
        ("happened", "settled as happened", "said that it happened"),
        ("drop", "settled as dropped", "dropped it"),
        ("run", "settled to run again", "said that it did not happen, and let it run"),
    ],
)
def test_a_settled_doubt_is_told_as_that_and_its_evidence_stays(
    client: Client, rita: User, verdict: str, became: str, found: str
) -> None:
    doubt = desk.in_doubt(factories.reviewer("omar"))
    settle(client, doubt, verdict)
    page = client.get(desk.url(doubt)).content.decode()
    assert became in chips(page)
    assert "in doubt" not in chips(page)
    assert "rejected" not in chips(page)
    told = page.split("What was known, and what was found out")[1]
    assert "nobody knows" in told.split("<dt>Known</dt>")[1].split("<dt>", maxsplit=1)[0]
    assert f"<b>rita</b> {found}: “" in told
    assert "Seen in the server&#x27;s log." in told
    assert became in told.split("What was decided on it")[1]
    trail = [event(row) for row in doubt.execution.audit.order_by("seq")]
    assert any(one.startswith("the doubt was settled") for one in trail)


def test_it_did_not_so_it_runs_under_the_same_key(client: Client, doubt: AgentReview) -> None:
    key = doubt.call.idempotency_key
    assert settle(client, doubt, "run")[0] == 302
    call = factories.fresh(doubt.call)
    assert (call.status, call.idempotency_key) == ("approved", key)


def test_it_is_dropped(client: Client, doubt: AgentReview) -> None:
    assert settle(client, doubt, "drop")[0] == 302
    assert factories.fresh(doubt.call).status == "cancelled"
    assert "Settled: it was dropped." in client.get(desk.url(doubt)).content.decode()


@pytest.mark.parametrize("verdict", ["happened", "run", "drop"])
def test_settling_twice_by_a_double_click_shows_no_error(
    client: Client, doubt: AgentReview, verdict: str
) -> None:
    assert settle(client, doubt, verdict)[0] == 302
    status, page = settle(client, doubt, verdict)
    assert status == 200
    assert "It counts once." in page
    assert doubt.votes.count() == 1


def test_a_verdict_needs_to_say_how_one_knows(client: Client, doubt: AgentReview) -> None:
    status, page = settle(client, doubt, "happened", " ")
    assert status == 422
    assert "Say how you know" in page
    assert factories.fresh(doubt).status == "open"


def test_a_refused_verdict_keeps_what_was_chosen_and_typed(
    client: Client, doubt: AgentReview
) -> None:
    form = {"verdict": "drop", "seen_digest": "0" * 64, "reason": "Nothing in the log."}
    page = client.post(desk.url(doubt, "settle"), form).content.decode()
    assert 'value="drop" required checked' in page
    assert ">Nothing in the log.</textarea>" in page


def test_without_a_verdict_nothing_is_settled(client: Client, doubt: AgentReview) -> None:
    status, page = settle(client, doubt, "")
    assert status == 422
    assert "Say what happened." in page


def test_a_doubt_cannot_be_approved_away(client: Client, doubt: AgentReview) -> None:
    response = client.post(desk.url(doubt, "decide"), desk.form(doubt, "approve"))
    assert response.status_code == 409
    assert factories.fresh(doubt.call).status == "in_doubt"


def test_cancelling_from_its_page_leaves_the_doubt_to_be_settled(client: Client) -> None:
    client.force_login(factories.person("ines", may=["approve_*", "cancel_execution"]))
    doubt = desk.in_doubt(factories.reviewer("omar"))
    page = client.get(desk.url(doubt)).content.decode()
    assert 'popovertarget="cancel"' in page
    assert "This doubt is not over by it" in page
    response = client.post(desk.url(doubt, "cancel"), {"reason": "Not worth it."}, follow=True)
    page = response.content.decode()
    assert "The execution is cancelled; this doubt is not over by it." in page
    assert 'popovertarget="cancel"' not in page
    run = page.split('value="run"')[1].split(">")[0]
    assert "disabled" in run
    assert settle(client, doubt, "run")[0] == 409
    assert settle(client, doubt, "happened", "Message-ID found")[0] == 302
    page = client.get(desk.url(doubt)).content.decode()
    assert "Settled: it happened." in page
    assert "goes on" not in page.split('id="outcome"')[1].split('class="head"')[0]
    assert factories.fresh(doubt.call).status == "succeeded"
    assert factories.fresh(doubt.execution).status == "cancelled"


def test_whoever_may_not_cancel_reads_which_right_it_needs(
    client: Client, doubt: AgentReview
) -> None:
    page = client.get(desk.url(doubt)).content.decode()
    assert 'popovertarget="cancel"' not in page
    assert "executions.cancel_execution" in page

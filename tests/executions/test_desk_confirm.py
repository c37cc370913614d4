"""The last look before an approval: what it repeats, and what must be typed for a LIVE filing."""

from __future__ import annotations

import pytest
from django.test import Client

from agentops.accounts.models import User
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tools.models import Regulator
from tools.registry import TOOLS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rita(client: Client) -> User:
    desk.load_sample_data()
    desk.report()
    person = factories.reviewer("rita")
    client.force_login(person)
    return person


def filing(environment: str) -> AgentReview:
    if environment == "LIVE":
        go_live()
    return desk.proposed("submit_to_regulator", desk.FILING, votes=2)


def go_live() -> None:
    desk_of = "https://filings.example/in"
    Regulator.objects.filter(pk="REG-NFSA").update(is_live=True, endpoint=desk_of)


def sheet(client: Client, review: AgentReview) -> str:
    page = client.get(desk.url(review)).content.decode()
    return str(page.split('id="confirm"')[1].split("</form>")[0])


def approved(client: Client, review: AgentReview, **fields: str) -> tuple[int, str]:
    response = client.post(
        desk.url(review, "decide"), {**desk.form(review, "approve", "as agreed"), **fields}
    )
    return response.status_code, response.content.decode()


def test_it_repeats_to_whom_about_what_and_the_digests_first_digits(client: Client) -> None:
    review = desk.proposed()
    told = sheet(client, review)
    assert desk.LETTER["to"][0] in told
    assert desk.LETTER["subject"] in told
    first = review.input_digest
    assert f"{first[:4]} {first[4:8]}" in told


def test_a_live_filing_asks_for_the_authoritys_name(client: Client) -> None:
    name = Regulator.objects.get(pk="REG-NFSA").name
    assert 'name="typed"' not in sheet(client, filing("TEST"))
    told = sheet(client, filing("LIVE"))
    assert f"{name} (REG-NFSA), LIVE" in told
    assert 'name="typed"' in told


@pytest.mark.parametrize("typed", ["", "NFSA", "yes"])
def test_a_live_filing_is_not_approved_by_habit(client: Client, typed: str) -> None:
    review = filing("LIVE")
    status, page = approved(client, review, typed=typed)
    assert status == 422
    assert "To approve it, type exactly:" in page
    assert "as agreed" in page
    assert not review.votes.exists()


def test_the_name_counts_in_any_case_and_spacing(client: Client) -> None:
    name = Regulator.objects.get(pk="REG-NFSA").name
    review = filing("LIVE")
    assert approved(client, review, typed=f"  {name.upper().replace(' ', '  ')} ")[0] == 302
    assert review.votes.get().vote == "approve"


def test_what_became_live_since_the_page_was_loaded_asks_for_it_too(client: Client) -> None:
    review = filing("TEST")
    go_live()
    assert approved(client, review)[0] == 422


def test_a_rejection_asks_for_nothing_to_be_typed(client: Client) -> None:
    review = filing("LIVE")
    assert client.post(
        desk.url(review, "decide"), desk.form(review, "reject", "no")
    ).status_code == 302  # fmt: skip


def test_the_second_voter_reads_who_approved_first_and_with_which_note(client: Client) -> None:
    review = filing("TEST")
    approved(client, review)
    client.force_login(factories.person("omar", may=["approve_*"]))
    told = sheet(client, review)
    assert "Yours is vote 2 of 2." in told
    assert "<b>rita</b> approved it" in told
    assert "as agreed" in told


def test_a_confirmation_that_fails_asks_for_nothing_and_shows_the_action(client: Client) -> None:
    review = desk.proposed(
        "submit_to_regulator", {**desk.FILING, "regulator_id": "REG-NONE"}, votes=2
    )
    assert "File DOC-0123456789ab with REG-NONE" in sheet(client, review)


def test_every_gated_tool_says_what_it_did_and_offers_reasons() -> None:
    for tool in TOOLS.values():
        if tool.approval.mode == "always":
            assert tool.confirm
            assert tool.outcome
            assert 4 <= len(tool.reasons) <= 6

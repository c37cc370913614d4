"""A refused form comes back as it was left: which sheet, which field, what was typed."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils.html import escape

from executions import operations
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_confirm import filing
from tests.executions.test_desk_parts import LETTER

pytestmark = pytest.mark.django_db

GOES_ON = re.compile(r'popovertarget="(\w+)" aria-describedby="refusal" data-again')
AT_FAULT = re.compile(r'name="(\w+)"[^>]* aria-describedby="fault"[^>]* autofocus')


def refused(client: Client, review: AgentReview, verb: str, **fields: str) -> str:
    response = client.post(desk.url(review, verb), {"seen_digest": review.input_digest, **fields})
    assert response.status_code == 422
    return response.content.decode()


@pytest.fixture(autouse=True)
def rita(client: Client) -> None:
    desk.load_sample_data()
    client.force_login(factories.person("rita", may=["approve_*", "cancel_execution"]))


@pytest.mark.parametrize(
    ("verb", "fields", "sheet", "field"),
    [
        ("decide", {"decision": "approve", "typed": "NFSA"}, "confirm", "typed"),
        ("decide", {"decision": "reject", "then": "again"}, "reject", "reason"),
        ("ask", {"question": " "}, "ask", "question"),
        ("cancel", {"reason": " "}, "cancel", "reason"),
    ],
)
def test_the_sheet_and_the_field_at_fault_are_named(
    client: Client, verb: str, fields: dict[str, str], sheet: str, field: str
) -> None:
    desk.report()
    page = refused(client, filing("LIVE"), verb, **fields)
    assert GOES_ON.findall(page) == [sheet]
    assert AT_FAULT.findall(page) == [field]
    fault = page.split(f'id="{sheet}"')[1].split('id="fault" role="alert">')[1].split("</p>")[0]
    assert fault in page.split('id="refusal">')[1]


def test_what_has_to_be_read_is_at_fault_in_its_sheet(client: Client) -> None:
    page = refused(client, desk.proposed(arguments=LETTER), "decide", decision="approve")
    assert GOES_ON.findall(page) == ["confirm"]
    assert 'data-fault aria-describedby="fault"' in page
    assert re.search(r'name="read" value="[^"]+" required autofocus', page)


@pytest.mark.parametrize(
    ("fields", "field"), [({"reason": "seen"}, "verdict"), ({"verdict": "drop"}, "reason")]
)
def test_a_doubt_goes_on_in_the_page_itself(
    client: Client, fields: dict[str, str], field: str
) -> None:
    doubt = desk.in_doubt(factories.reviewer("omar"))
    page = refused(client, doubt, "settle", **fields)
    assert GOES_ON.findall(page) == []
    assert AT_FAULT.findall(page) == [field]


def test_a_sheet_that_is_gone_is_not_offered(client: Client) -> None:
    review = desk.proposed()
    client.post(desk.url(review, "decide"), desk.form(review, "approve"))
    assert GOES_ON.findall(refused(client, review, "ask", question=" ")) == []


def test_whoever_must_look_anew_is_not_led_back_into_the_old_form(client: Client) -> None:
    review = desk.proposed()
    response = client.post(
        desk.url(review, "decide"), {**desk.form(review, "approve"), "seen_digest": "0" * 64}
    )
    assert response.status_code == 409
    assert GOES_ON.findall(response.content.decode()) == []


@pytest.mark.parametrize(("reason", "status"), [(" ", 422), ("It is due & nobody moves.", 409)])
def test_a_take_over_refused_keeps_its_reason_in_its_own_sheet(
    client: Client, reason: str, status: int
) -> None:
    """There is none, or it was written for another person than is on it by now."""
    review, omar = desk.proposed(), factories.reviewer("omar")
    operations.claim(review_id=review.pk, person=omar)
    from_whom = str(omar.pk) if status == 422 else ""
    response = client.post(
        desk.url(review, "take-over"), {"from_whom": from_whom, "reason": reason}
    )
    assert response.status_code == status
    page = response.content.decode()
    assert "You did not take it over; nothing was changed." in page
    assert GOES_ON.findall(page) == ["takeover"]
    assert AT_FAULT.findall(page) == ["reason"]
    filled = [one for one in page.split('<div class="sheet"') if f'value="{escape(reason)}"' in one]
    assert [one.split('"')[1] for one in filled] == ["takeover"]
    assert f'name="from_whom" value="{omar.pk}"' in filled[0]
    assert factories.fresh(review).claimed_by == omar

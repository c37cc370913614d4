"""Whoever decides on what a person edited sees the edit first, and why it is there again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from executions.operations import rows
from tests import factories
from tests.executions import desk
from tools.registry import TOOLS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_data")]

RULE = "This tool always needs a person."


def plain(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def shown(client: Client, review: AgentReview, person: User) -> str:
    client.force_login(person)
    return str(client.get(desk.url(review)).content.decode())


def part(page: str, title: str) -> str:
    """The words of the part of the page with that title."""
    return plain(page.split(f"<h3>{title}</h3>")[1].partition("</div>")[0])


def edited(review: AgentReview, person: User, **changes: Any) -> AgentReview:
    return operations.edit(
        review_id=review.pk,
        person=person,
        arguments={**review.call.tool_input, **changes},
        seen_digest=review.input_digest,
        reason="Says when.",
    )


def test_it_stands_at_the_top_with_its_difference_open(client: Client, rita: User) -> None:
    newer = edited(desk.proposed(), rita, subject="Your yearly report")
    page = shown(client, newer, factories.reviewer("omar"))
    card = page.split('class="card edited"')[1].split("</section>")[0]
    assert page.index("What will happen") < page.index(card) < page.index("The mail as it will")
    assert "rita edited this: subject" in plain(card)
    assert '<details class="fold" open>' in card
    assert re.findall(r"<ins>.*?</ins>", card) == ['<ins><bdi class="whole">yearly </bdi></ins>']
    confirmation = plain(page.split('id="confirm"')[1].split("</form>")[0])
    assert "Edited by rita: subject" in confirmation
    assert "said before the edit" in page


def test_the_rule_stays_beside_why_it_is_there_again(client: Client, rita: User) -> None:
    newer = edited(desk.proposed(), rita, subject="Your yearly report")
    page = shown(client, newer, factories.reviewer("omar"))
    assert part(page, "The rule that asks for you").startswith(RULE)
    assert part(page, "Why it is here again") == "rita edited the arguments: Says when."


def test_all_who_edited_are_named_and_what_they_made_of_it_in_the_end(
    client: Client, rita: User
) -> None:
    omar = factories.reviewer("omar")
    second = edited(desk.proposed(), rita, subject="Another", body="Short.")
    third = edited(second, omar, subject=desk.LETTER["subject"])
    card = shown(client, third, rita).split('class="card edited"')[1].split("</section>")[0]
    assert "You and omar edited this: body" in plain(card)


def test_what_nobody_edited_says_nothing_of_it(client: Client, rita: User) -> None:
    page = shown(client, desk.proposed(), rita)
    assert "edited" not in page
    assert "Why it is here again" not in page


def test_a_doubt_keeps_the_rule_and_the_edit(client: Client, rita: User) -> None:
    page = shown(client, desk.in_doubt(rita), rita)
    assert part(page, "The rule that asks for you").startswith(RULE)


def test_an_edit_among_alike_calls_is_shown_with_its_call(
    client: Client, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TOOLS, "send_email", replace(TOOLS["send_email"], risk="low"))
    edited(desk.proposed(risk="low"), rita, subject="Your yearly report")
    client.force_login(factories.reviewer("omar"))
    page = client.get("/reviews/together/send_email/").content.decode()
    assert "rita edited this: subject" in plain(page)


def test_whoever_edits_is_told_that_it_is_before_people(client: Client, rita: User) -> None:
    review = desk.proposed()
    sent = {
        "step": "confirm",
        "seen_digest": review.input_digest,
        "arguments": '{"to": ["ana.duarte@marlowe-shipping.example"], "subject": "New",'
        ' "body": "Short.", "attach_document_ids": []}',
    }
    page = client.post(desk.url(review, "edit"), sent, follow=True).content.decode()
    assert "Your edit is before people now. Somebody else approves it." in page


class TestAVersionThatIsOver:
    def test_names_who_edited_it(self, client: Client, rita: User) -> None:
        review = desk.proposed()
        edited(review, rita, subject="Your yearly report")
        told = plain(shown(client, review, rita))
        assert "rita edited it. Version 2 took its place. “Says when.”" in told

    def test_names_who_took_the_approval_back(self, client: Client, rita: User) -> None:
        review = desk.proposed()
        factories.change(review, effective_at=Now() + timedelta(minutes=5))
        factories.approve(review, rita)
        newer = operations.withdraw(review_id=review.pk, person=rita, reason="Wrong year.")
        edited(newer, factories.reviewer("omar"), subject="Another")
        told = plain(shown(client, review, rita))
        assert "rita took the approval back. Version 2 took its place. “Wrong year.”" in told

    def test_says_what_else_put_it_before_people_again(self, client: Client, rita: User) -> None:
        review = desk.proposed()
        rows.move_review(review, "void")
        rows.next_version(review, reason="The record changed after the approval; look again.")
        told = plain(shown(client, review, rita))
        assert "Version 2 took its place. The record changed after the approval" in told

    def test_says_that_the_execution_ended(self, client: Client, rita: User) -> None:
        review = desk.proposed()
        canceller = factories.person("carl", may=["cancel_execution"])
        operations.cancel(execution_id=review.execution_id, person=canceller, reason="No.")
        told = plain(shown(client, review, rita))
        assert "The execution is cancelled. This was not done." in told

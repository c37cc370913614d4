"""What the page of one review shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Func, JSONField, Value
from django.db.models.functions import Now
from django.test import Client

from agentops.accounts.models import User
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tools.models import Customer
from tools.registry import TOOLS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_data")]


def shown(client: Client, review: AgentReview) -> str:
    response = client.get(desk.url(review))
    assert response.status_code == 200
    return str(response.content.decode())


def test_it_shows_headline_consequence_verb_and_digest(client: Client, rita: User) -> None:
    review = desk.proposed()
    page = shown(client, review)
    assert "Send an e-mail to ana.duarte@marlowe-shipping.example about “Your report”" in page
    assert "Leaves the house. Cannot be undone." in page
    assert "Send this e-mail" in page
    assert "This tool always needs a person." in page
    assert review.input_digest in page
    assert f'name="seen_digest" value="{review.input_digest}"' in page


def test_only_people_with_the_right_for_its_tool_see_it(client: Client) -> None:
    client.force_login(factories.person("mail_only", may=["approve_send_email"]))
    response = client.get(desk.url(desk.proposed("update_customer_record", desk.CHANGE)))
    assert response.status_code == 403
    assert "approve_update_customer_record" in response.content.decode()
    assert "+420 555 010 203" not in response.content.decode()


def test_there_is_no_page_for_a_review_that_does_not_exist(client: Client, rita: User) -> None:
    assert client.get(f"/reviews/{uuid4()}/").status_code == 404


def test_the_agents_own_words_are_kept_apart_and_below(client: Client, rita: User) -> None:
    page = shown(client, desk.proposed(says="Harmless, just approve it."))
    before, words = page.split("What the agent says")
    assert "not verified" in words
    assert "Harmless, just approve it." not in before


def test_markup_in_arguments_stays_text(client: Client, rita: User) -> None:
    nasty = {**desk.LETTER, "subject": "<script>alert(1)</script>", "body": '"><img src=x>'}
    page = shown(client, desk.proposed(arguments=nasty))
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_hidden_characters_are_marked_wherever_they_stand(client: Client, rita: User) -> None:
    nasty = {**desk.LETTER, "subject": "Invoice \u202efdp.exe", "body": "pay\u200bpal"}
    page = shown(client, desk.proposed(arguments=nasty, says="fine\u202e"))
    assert "\u202e" not in page
    assert "\u200b" not in page
    assert "U+202E right-to-left override" in page
    assert "2 hidden characters" in page


def test_arguments_are_shown_whole_however_long(client: Client, rita: User) -> None:
    sting = "and send the money to somebody else"
    letter = {**desk.LETTER, "body": "\n".join(["nothing to see"] * 300 + [sting])}
    page = shown(client, desk.proposed(arguments=letter))
    assert page.count(sting) >= 1


def test_it_names_who_else_may_decide(client: Client, rita: User) -> None:
    factories.reviewer("omar")
    factories.person("sam")
    page = shown(client, desk.proposed())
    assert "Others who may: omar." in page


def test_whoever_launched_it_sees_why_they_cannot_approve(client: Client, rita: User) -> None:
    page = shown(client, desk.proposed(launched_by=rita))
    assert "You launched this execution, so somebody else must approve." in page
    assert 'popovertarget="confirm"' not in page
    assert 'popovertarget="reject"' in page


def test_whoever_has_voted_may_only_withdraw_it(client: Client, rita: User) -> None:
    review = desk.proposed("submit_to_regulator", desk.FILING, votes=2)
    desk.report()
    factories.vote(review, rita)
    page = shown(client, review)
    assert "Your vote counts: 1 of 2." in page
    bar = page.split('aria-label="Your decision"')[1].split("</main>")[0]
    assert "popovertarget" not in bar
    assert "Withdraw my vote" in bar


def test_an_expired_review_takes_no_decision(client: Client, rita: User) -> None:
    review = desk.proposed()
    factories.change(review, expires_at=Now())
    page = shown(client, review)
    assert "It expired; nobody can decide any more." in page
    assert 'popovertarget="confirm"' not in page


def test_it_says_when_the_tool_would_refuse_as_things_stand(client: Client, rita: User) -> None:
    stranger = {**desk.LETTER, "to": ["somebody@elsewhere.example"]}
    page = shown(client, desk.proposed(arguments=stranger))
    assert "As things stand this would be refused:" in page
    assert "not on record" in page


def test_a_record_change_is_compared_with_the_live_record(client: Client, rita: User) -> None:
    before = Customer.objects.get(pk="C-1002")
    page = shown(client, desk.proposed("update_customer_record", desk.CHANGE))
    assert page.count(f"Change the telephone of {before.name}") >= 3
    removed, added = page.split("<del>")[1].split("</del>")
    assert before.phone in removed
    assert "+420 555 010 203" in added.split("</ins>")[0]
    assert "9 fields stay as they are" in page


def test_it_warns_when_the_record_moved_on(client: Client, rita: User) -> None:
    review = desk.proposed("update_customer_record", {**desk.CHANGE, "version": 1})
    Customer.objects.filter(pk="C-1002").update(industry="Scrap")
    page = shown(client, review)
    assert "The record changed since this was proposed." in page


def test_a_change_that_was_done_shows_what_it_replaced(client: Client, rita: User) -> None:
    review = desk.proposed("update_customer_record", {**desk.CHANGE, "version": 1})
    before = Customer.objects.get(pk="C-1002").phone
    Customer.objects.filter(pk="C-1002").update(phone="+420 555 010 203")
    change = {"field": "phone", "old": before, "new": "+420 555 010 203"}
    answer = {"customer_id": "C-1002", "previous_version": 1, "version": 2, "changes": [change]}
    page = shown(client, desk.done(review, rita, answer=answer))
    assert "The record changed since" not in page
    assert "the same already" not in page
    assert "version 1 became 2" in page
    removed, added = page.split("<del>")[1].split("</del>")
    assert before in removed
    assert "+420 555 010 203" in added.split("</ins>")[0]


def test_a_filing_says_test_or_live_and_shows_the_document(client: Client, rita: User) -> None:
    desk.report()
    page = shown(client, desk.proposed("submit_to_regulator", desk.FILING, votes=2))
    assert ">TEST<" in page
    assert page.count("test desk at once, and counts for nothing.") == 3, "lead, bar, confirmation"
    assert "Cannot be undone" not in page
    assert "1 Subject\nMarlowe Shipping B.V." in page
    assert "the one the call names" in page
    assert desk.FILING["document_sha256"] in page


def test_a_filing_of_other_bytes_says_so(client: Client, rita: User) -> None:
    desk.report()
    other = {**desk.FILING, "document_sha256": "cd" * 32}
    page = shown(client, desk.proposed("submit_to_regulator", other, votes=2))
    assert "the call names another" in page
    assert "As things stand this would be refused:" in page


def test_a_document_is_shown_as_it_would_be_made(client: Client, rita: User) -> None:
    page = shown(client, desk.proposed("generate_compliance_document", document()))
    assert "The document as it would be made now" in page
    assert "Marlowe Shipping B.V." in page
    assert "All is well." in page
    assert "Not met" in page


def document() -> dict[str, Any]:
    findings = [
        {
            "requirement_id": f"AML-6.{number}",
            "finding": "The record says so.",
            "status": "not_met" if number == 1 else "met",
            "source": "C-1001",
        }
        for number in range(1, 7)
    ]
    return {
        "customer_id": "C-1001",
        "regulation_code": "AML-6",
        "title": "A report",
        "summary": "All is well.",
        "findings": findings,
    }


def test_a_document_that_would_say_something_else_by_now_is_told(
    client: Client, rita: User
) -> None:
    told = "What it would say changed since this was proposed"
    tool = TOOLS["generate_compliance_document"]
    now = tool.look(tool.parse(document()))
    assert now is not None
    for version, is_told in [(now.version, False), ("1+0123456789abcdef", True)]:
        review = desk.proposed(tool.name, document(), version=version)
        assert (told in shown(client, review)) is is_told


def test_a_tool_without_a_preview_shows_its_fields(
    client: Client, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replace(TOOLS["send_email"], preview=None, template=None, headline=None)
    monkeypatch.setitem(TOOLS, "send_email", plain)
    page = shown(client, desk.proposed())
    assert "What it is given" in page
    assert "Dear Ms Duarte," in page


@pytest.mark.parametrize("broken", ["preview", "headline"])
def test_a_tool_that_breaks_while_it_is_shown_leaves_the_arguments(
    client: Client, rita: User, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(arguments: Any) -> Any:
        raise RuntimeError("no")

    monkeypatch.setitem(TOOLS, "send_email", replace(TOOLS["send_email"], **{broken: fail}))
    page = shown(client, desk.proposed())
    assert "Dear Ms Duarte," in page
    assert 'popovertarget="reject"' in page


def test_a_call_of_a_tool_that_is_gone_can_still_be_looked_at(
    client: Client, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = desk.proposed()
    monkeypatch.delitem(TOOLS, "send_email")
    page = shown(client, review)
    assert "There is no tool send_email any more" in page
    assert "Dear Ms Duarte," in page


def test_an_older_version_says_that_it_is_not_the_newest(client: Client, rita: User) -> None:
    review = desk.proposed()
    changed = {**desk.LETTER, "subject": "Another"}
    factories.change(review, status="void")
    newer = AgentReview.objects.create(
        call=review.call,
        execution=review.execution,
        tool_name=review.tool_name,
        input_digest=Func(Value(changed, JSONField()), function="agentops_digest"),
        version=2,
        edited_by=factories.reviewer("omar"),
    )
    factories.change(review.call, tool_input=changed, review_id=newer.pk)
    page = shown(client, review)
    assert "This is not the newest version." in page
    assert "omar edited it. Version 2 took its place." in page

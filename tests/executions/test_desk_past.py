"""What the page of a review tells of before: of the customer, the recipient, the call itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from agentops.accounts.models import User
from executions import operations
from executions.desk import past
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_review import shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_data")]
ANA = desk.LETTER["to"][0]


def done(
    tool: str,
    arguments: dict[str, Any],
    output: dict[str, Any],
    *,
    customer: str | None,
    votes: int = 1,
) -> AgentReview:
    """A call that was approved and succeeded some time ago."""
    review = desk.proposed(tool, arguments, votes=votes)
    AgentReview.objects.filter(pk=review.pk).update(customer_id=customer)
    names = (f"past-{review.pk.hex[:8]}-{number}" for number in range(votes))
    call = factories.approve(factories.fresh(review), *(factories.reviewer(one) for one in names))
    one = review.execution
    factories.change(one, status="pending")
    factories.change(one, status="running", lease_owner=review.pk, lease_token=one.lease_token + 1)
    factories.start(call)
    factories.change(call, status="succeeded", tool_output=output, finished_at=Now())
    return factories.fresh(review)


def sent(*, to: str = ANA, customer: str = "C-1001", accepted: list[str] | None = None) -> None:
    output = {"accepted": [to] if accepted is None else accepted, "refused": []}
    done("send_email", {**desk.LETTER, "to": [to]}, output, customer=customer)


def test_a_recipient_who_has_had_no_mail_is_called_new(client: Client, rita: User) -> None:
    page = shown(client, desk.proposed())
    assert "new recipient" in page
    assert "Nothing before this." in page


def test_earlier_mails_are_counted_whatever_the_case_of_the_address(
    client: Client, rita: User
) -> None:
    sent()
    sent(to=ANA.upper())
    sent(customer="C-1002")  # about another customer, but to her
    sent(accepted=[])  # the mail server refused her
    page = shown(client, desk.proposed())
    assert "had 3 mails from us" in page
    assert "new recipient" not in page


@pytest.mark.parametrize(("verdict", "is_known"), [("happened", True), ("drop", False)])
def test_a_mail_in_doubt_counts_once_people_said_that_it_went(
    client: Client, rita: User, verdict: str, is_known: bool
) -> None:
    doubt = desk.in_doubt(factories.reviewer("omar"))
    operations.settle(
        review_id=doubt.pk,
        person=rita,
        verdict=verdict,
        seen_digest=doubt.input_digest,
        reason="The mail server's log",
    )
    page = shown(client, desk.proposed())
    assert ("had 1 mail from us" in page) == is_known
    for told in (page, desk.listed(client)):
        assert ("new recipient" in told) != is_known
    mails = past.mails_to([ANA.upper()])[ANA.upper()]
    assert mails == past.Mails(count=1, last=doubt.call.started_at) if is_known else not mails.count


def test_the_customers_latest_effects_stand_beside_the_call(client: Client, rita: User) -> None:
    for number in range(7):
        arguments = {**desk.CHANGE, "changes": {"phone": f"+420 555 010 10{number}"}}
        done("update_customer_record", arguments, {}, customer="C-1002")
    page = shown(client, desk.proposed("update_customer_record", desk.CHANGE))
    assert page.count("Change the telephone of customer C-1002") >= 5
    lately = page.split("Done lately for C-1002")[1].split("</ul>")[0]
    assert lately.count("<li>") == 5


def test_who_may_not_decide_on_a_tool_reads_only_its_name(client: Client) -> None:
    client.force_login(factories.person("sam", may=["approve_update_customer_record"]))
    done("send_email", desk.LETTER, {"accepted": [ANA]}, customer="C-1002")
    page = shown(client, desk.proposed("update_customer_record", desk.CHANGE))
    assert "Send email" in page.split("Done lately")[1]
    assert "Your report" not in page


def test_earlier_filings_and_the_very_same_one_are_told(client: Client, rita: User) -> None:
    desk.report()
    page = shown(client, desk.proposed("submit_to_regulator", desk.FILING, votes=2))
    assert "Nothing yet." in page.split("Filed before about this customer")[1]
    output = {"filing_id": "F-77", "status": "accepted"}
    done("submit_to_regulator", desk.FILING, output, customer="C-1001", votes=2)
    page = shown(client, desk.proposed("submit_to_regulator", desk.FILING, votes=2))
    assert "This very document," in page
    assert "F-77" in page


def test_a_filing_tells_what_is_sent_and_what_was_checked(client: Client, rita: User) -> None:
    desk.report()
    page = shown(client, desk.proposed("submit_to_regulator", desk.FILING, votes=2))
    assert "3 of 3 checks passed" in page
    assert "bytes of JSON" in page
    other = {**desk.FILING, "document_sha256": "cd" * 32}
    page = shown(client, desk.proposed("submit_to_regulator", other, votes=2))
    assert "checks passed" not in page
    assert "<b>No:</b>" in page


def test_each_version_is_told_with_its_votes_and_its_edit(client: Client, rita: User) -> None:
    review = desk.proposed("submit_to_regulator", desk.FILING, votes=2)
    desk.report()
    factories.vote(review, factories.reviewer("vera"))
    newer = operations.edit(
        review_id=review.pk,
        person=factories.reviewer("omar"),
        seen_digest=review.input_digest,
        arguments={**desk.FILING, "subject": "A better subject"},
        reason="The subject was wrong.",
    )
    page = shown(client, newer)
    past = page.split("What was decided on it")[1]
    assert "Version 1" in past
    assert "<b>vera</b> approved it" in past
    assert "because" in past
    assert "Edited by omar" in past
    assert "1 argument changed by the edit" in past
    assert "better" in past.split("1 argument changed")[1]
    assert "The subject was wrong." in past


def test_a_first_version_nobody_voted_on_has_no_history(client: Client, rita: User) -> None:
    assert "What was decided on it" not in shown(client, desk.proposed())


def test_mails_to_an_address_on_nobodys_record_are_counted_too(client: Client, rita: User) -> None:
    colleague = "Omar@hallberg.example"
    done("send_email", {**desk.LETTER, "to": [ANA, colleague]}, {"accepted": [ANA, colleague]},
         customer="C-1001")  # fmt: skip
    done("send_email", {**desk.LETTER, "to": [colleague]}, {"accepted": [colleague]}, customer=None)
    known = past.mails_to([colleague.lower(), "no@hallberg.example"])
    assert [known[one].count for one in known] == [2, 0]
    assert past.mails_to([colleague], most=1)[colleague] == past.Mails(count=1, last=None)


def test_whatever_a_mail_was_to_go_to_can_be_stored() -> None:
    """The index is of texts that an LLM made."""
    for to in ('A\x1f"\\', {"A": {"a": [1e40]}}, None, [[["İ"]]], ["a" * 100_000], 1e5):
        desk.proposed(arguments={"to": to})
    assert past.mails_to(['a\x1f"\\'])['a\x1f"\\'].count == 0

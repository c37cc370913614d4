# ruff: noqa: RUF001  names in several scripts are the point here
from __future__ import annotations

import hashlib
from email import message_from_bytes, policy
from typing import Any

import pytest
from pytest_django import Settings

from tests.tools.calling import KEY, run
from tests.tools.mail_server import Mailbox
from tools.base import ToolError, ToolInputError
from tools.models import Customer, Document
from tools.registry import get_tool

TOOL = get_tool("send_email")
ANA = "ana.duarte@marlowe-shipping.example"

pytestmark = pytest.mark.usefixtures("records")


def _asked(**changes: Any) -> dict[str, Any]:
    usual = {"to": [ANA], "subject": "Your record", "body": "Dear Ms Duarte,\n\nall is well."}
    return {**usual, **changes}


def _document(customer_id: str) -> Document:
    return Document.objects.filter(customer=customer_id).order_by("document_id")[0]


def test_it_arrives_at_a_real_mail_server_as_it_was_asked(mailbox: Mailbox) -> None:
    output = run("send_email", _asked(subject="Żółć – ναι, да", body="Ołówek\n.\n..dots\nend"))
    ((recipients, message),) = mailbox.arrived
    assert recipients == [ANA]
    assert message["Subject"] == "Żółć – ναι, да"
    assert message["From"] == "Hallberg Compliance <records@hallberg.example>"
    assert message["To"] == ANA
    assert message.get_content().splitlines() == ["Ołówek", ".", "..dots", "end"]
    assert output == {
        "message_id": f"<{KEY}@agentops.invalid>",
        "from": "Hallberg Compliance <records@hallberg.example>",
        "accepted": [ANA],
        "refused": [],
        "attachments": [],
    }


def test_its_message_id_comes_from_the_idempotency_key_alone(mailbox: Mailbox) -> None:
    for subject in ("one", "two"):
        run("send_email", _asked(subject=subject), idempotency_key="abc123")
    assert [message["Message-ID"] for _, message in mailbox.arrived] == [
        "<abc123@agentops.invalid>"
    ] * 2


def test_documents_are_attached_by_their_ids_byte_for_byte(mailbox: Mailbox) -> None:
    document = _document("C-1001")
    output = run("send_email", _asked(attach_document_ids=[document.document_id]))
    ((_, message),) = mailbox.arrived
    (attachment,) = message.iter_attachments()
    content = attachment.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert hashlib.sha256(content).hexdigest() == document.sha256
    assert attachment.get_filename() == f"{document.document_id}.txt"
    assert attachment.get_content_type() == "text/plain"
    assert output["attachments"] == [
        {
            "document_id": document.document_id,
            "filename": f"{document.document_id}.txt",
            "size": len(content),
            "sha256": document.sha256,
        }
    ]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"to": []}, "to: "),
        ({"to": [ANA, ANA.upper()]}, "names one twice"),
        ({"to": ANA}, "to: "),
        ({"to": [f"{ANA}\r\nBcc: eve@example.org"]}, "plain e-mail address"),
        ({"to": [f"{ANA}, eve@example.org"]}, "plain e-mail address"),
        ({"subject": "Hi\r\nBcc: eve@example.org"}, r"U\+000A, U\+000D"),
        ({"subject": "Hi\nX: y"}, r"U\+000A"),
        ({"subject": ""}, "blank"),
        ({"subject": "x" * 201}, "at most 200"),
        ({"body": " \n "}, "blank"),
        ({"body": "pay \u202e here"}, r"U\+202E"),
        ({"body": "x" * 6001}, "at most 6000"),
        ({"bcc": ["eve@example.org"]}, "bcc is no argument"),
        ({"cc": ["eve@example.org"]}, "cc is no argument"),
        ({"from": "ceo@hallberg.example"}, "from is no argument"),
        ({"html": "<b>"}, "html is no argument"),
        ({"attach_document_ids": ["/etc/passwd"]}, "pattern"),
        ({"attach_document_ids": ["DOC-000000000000"] * 2}, "names one twice"),
    ],
)
def test_what_could_be_abused_is_refused_before_anybody_sees_it(
    changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(ToolInputError, match=why):
        TOOL.parse(_asked(**changes))


def _refused(**changes: Any) -> str:
    """The same words at the proposal and, had it been approved nonetheless, at the sending."""
    assert TOOL.check is not None
    with pytest.raises(ToolError) as proposed:
        TOOL.check(TOOL.parse(_asked(**changes)))
    with pytest.raises(ToolError) as sent:
        run("send_email", _asked(**changes))
    assert str(proposed.value) == str(sent.value)
    return str(sent.value)


def test_mail_goes_to_no_address_that_we_do_not_know(mailbox: Mailbox) -> None:
    said = _refused(to=[ANA, "audit@halden-trade-ag.example", "x@sub.hallberg.example"])
    assert said.endswith("not on record: audit@halden-trade-ag.example, x@sub.hallberg.example.")
    assert mailbox.arrived == []


def test_one_mail_does_not_show_two_customers_to_each_other(mailbox: Mailbox) -> None:
    assert "one customer only" in _refused(to=[ANA, "finance@halden-trade.example"])
    assert mailbox.arrived == []


def test_two_customers_who_share_an_address_may_get_their_mail_there(mailbox: Mailbox) -> None:
    Customer.objects.filter(pk="C-1002").update(email=ANA.upper())
    for customer_id in ("C-1001", "C-1002"):
        run("send_email", _asked(attach_document_ids=[_document(customer_id).document_id]))
    assert len(mailbox.arrived) == 2


def test_a_document_goes_to_no_other_customer(mailbox: Mailbox) -> None:
    said = _refused(attach_document_ids=[_document("C-1003").document_id])
    assert said.endswith("is about C-1003 and may not go to C-1001.")


def test_a_document_about_nobody_may_go_to_anybody(mailbox: Mailbox) -> None:
    guidance = Document.objects.get(customer=None)
    assert run("send_email", _asked(attach_document_ids=[guidance.document_id]))["attachments"]


def test_a_document_that_does_not_exist_is_refused(mailbox: Mailbox) -> None:
    assert "no document DOC-000000000000" in _refused(attach_document_ids=["DOC-000000000000"])


def test_attachments_that_are_too_large_are_refused(mailbox: Mailbox) -> None:
    content = bytes(10_000_001)
    Document.objects.create(
        document_id="DOC-ffffffffffff",
        kind="scan",
        title="Large",
        text="",
        content=content,
        content_type="application/pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        pages=1,
    )
    assert "more than 10 MB" in _refused(attach_document_ids=["DOC-ffffffffffff"])


def test_the_headline_names_recipient_and_subject() -> None:
    assert TOOL.headline is not None
    assert TOOL.headline(TOOL.parse(_asked())) == f"Send an e-mail to {ANA} about “Your record”"


def test_the_preview_shows_the_mail_as_it_will_arrive(settings: Settings) -> None:
    settings.AGENTOPS_MAIL_ALLOWED_DOMAINS = ["hallberg.example"]
    document = _document("C-1001")
    asked = _asked(
        to=[ANA, "lena@hallberg.example"],
        body="See https://portal.hallberg.example/upload and http://evil.example/?a=1.",
        attach_document_ids=[document.document_id],
    )
    assert TOOL.preview is not None
    seen = TOOL.preview(TOOL.parse(asked))
    assert seen["to"] == [
        {
            "address": ANA,
            "host": "marlowe-shipping.example",
            "customers": [{"customer_id": "C-1001", "name": "Marlowe Shipping B.V."}],
        },
        {"address": "lena@hallberg.example", "host": "hallberg.example", "customers": []},
    ]
    assert [link.host for link in seen["links"]] == ["portal.hallberg.example", "evil.example"]
    assert seen["attachments"][0]["title"] == document.title
    assert seen["problem"] is None


def test_the_previews_source_is_what_arrives(mailbox: Mailbox) -> None:
    """But for what is set when it starts, and the content of what is attached."""
    document = _document("C-1001")
    asked = _asked(
        subject="Żółć – ναι", body="Ołówek\n\nend", attach_document_ids=[document.document_id]
    )
    assert TOOL.preview is not None
    source = TOOL.preview(TOOL.parse(asked))["source"]
    run("send_email", asked)
    ((_, arrived),) = mailbox.arrived
    seen = message_from_bytes(source.encode(), policy=policy.default)
    named = ("Subject", "From", "To", "MIME-Version", "Cc", "Bcc", "Reply-To")
    assert [seen[name] for name in named] == [arrived[name] for name in named]
    assert set(seen.keys()) == set(arrived.keys())
    shown, sent = (list(one.walk()) for one in (seen, arrived))
    assert [one.get_content_type() for one in shown] == [one.get_content_type() for one in sent]
    assert [one.get_filename() for one in shown] == [one.get_filename() for one in sent]
    texts = [one[1].get_content().splitlines() for one in (shown, sent)]
    assert texts == [["Ołówek", "", "end"]] * 2
    assert f"[{len(document.content):,} bytes as base64, sha256 {document.sha256}]" in source


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("http://portal.example/x", "portal.example"),
        ("HTTPS://PORTAL.EXAMPLE.", "portal.example"),
        ("www.portal.example/x)", "www.portal.example"),
        ("https://bank.example@evil.example/", "evil.example"),
        ("https://evil.example\\@bank.example/", "evil.example"),
        ("mailto:ana@portal.example?subject=x", "portal.example"),
        ("http://xn--80ak6aa92e.com/", "xn--80ak6aa92e.com"),
        ("http://[::1", ""),
        ("http://", ""),
    ],
)
def test_a_link_is_told_with_the_host_it_leads_to(text: str, host: str) -> None:
    assert TOOL.preview is not None
    links = TOOL.preview(TOOL.parse(_asked(body=f"See {text} and go on")))["links"]
    assert [one.host for one in links] == ([host] if text != "http://" else [])


def test_the_preview_says_why_a_mail_would_be_refused_now() -> None:
    assert TOOL.preview is not None
    seen = TOOL.preview(TOOL.parse(_asked(to=["eve@example.org"])))
    assert "not on record: eve@example.org" in seen["problem"]

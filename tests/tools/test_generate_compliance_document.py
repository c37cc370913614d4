from __future__ import annotations

import hashlib
import io
import re
from datetime import date
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone
from pypdf import PdfReader
from pytest_django import Settings

from tests.tools.calling import CALL, run
from tests.tools.reports import findings, report_arguments
from tools.base import ToolError, ToolInputError
from tools.generate_compliance_document import draft
from tools.looking import Looking, preview_of
from tools.models import Customer, CustomerMessage, Document, Regulation
from tools.registry import get_tool

NAME = "generate_compliance_document"
TOOL = get_tool(NAME)

pytestmark = pytest.mark.usefixtures("records")


def _with_source(source: str, status: str = "met") -> dict[str, Any]:
    changed = findings()
    changed[0] |= {"source": source, "status": status}
    return report_arguments(findings=changed)


def _requirements() -> list[dict[str, Any]]:
    return list(Regulation.objects.get(pk="AML-6").requirements)


def _version_of(arguments: dict[str, Any]) -> str:
    assert TOOL.target is not None
    target = TOOL.target(TOOL.parse(arguments))
    assert target is not None
    return target.version


def _seen(arguments: dict[str, Any], version: str | None = None) -> dict[str, Any]:
    """What a reviewer is shown of a call that was proposed at that version."""
    return preview_of(TOOL, TOOL.parse(arguments), Looking(version=version))


def _refused(arguments: dict[str, Any]) -> str:
    """The same words at the proposal and, had it been approved nonetheless, at the making."""
    assert TOOL.check is not None
    with pytest.raises(ToolError) as proposed:
        TOOL.check(TOOL.parse(arguments))
    with pytest.raises(ToolError) as made:
        run(NAME, arguments)
    assert str(proposed.value) == str(made.value)
    assert not Document.objects.filter(kind=Document.REPORT).exists()
    return str(made.value)


def test_the_document_is_kept_with_the_digest_of_its_bytes() -> None:
    output = run(NAME, report_arguments())
    document = Document.objects.get(pk=output["document_id"])
    content = bytes(document.content)
    assert output["sha256"] == document.sha256 == hashlib.sha256(content).hexdigest()
    assert output["document_id"] == f"DOC-{output['content_sha256'][:12]}"
    assert output["pages"] == document.pages == len(PdfReader(io.BytesIO(content)).pages)
    assert (document.kind, document.customer_id, document.regulation_id) == (
        "compliance_report",
        "C-1001",
        "AML-6",
    )
    assert document.made_by_call == CALL


def test_the_document_says_what_an_authority_asks_for() -> None:
    output = run(NAME, report_arguments())
    document = Document.objects.get(pk=output["document_id"])
    reader = PdfReader(io.BytesIO(bytes(document.content)))
    said = " ".join(page.extract_text() for page in reader.pages).replace("\n", " ")
    for part in (
        "Due diligence report on Marlowe Shipping B.V.",
        "Nordic Financial Supervisory Authority, Financial Intelligence",
        "AML-6, Customer due diligence against money laundering",
        "KvK 61203844",
        "Pieter van Houten, 60 % (NL); Ingrid Marlowe, 40 % (GB)",
        "The last review is overdue.",
        "AML-6.6",
        "Not met",
        "Extract from the trade register",
        "version 1",
        output["document_id"],
        output["content_sha256"],
        f"Page 1 of {output['pages']}",
    ):
        assert part in said, part


def test_it_can_be_read_as_text_by_an_agent() -> None:
    output = run(NAME, report_arguments())
    read = run("read_document", {"document_id": output["document_id"]})["document"]
    assert "AML-6.2 Not met: Every natural person" in read["text"]
    assert read["sha256"] == output["sha256"]


def test_the_same_report_made_twice_is_one_document() -> None:
    first, second = run(NAME, report_arguments()), run(NAME, report_arguments())
    assert first == second
    assert Document.objects.filter(kind=Document.REPORT).count() == 1


def test_another_word_or_another_record_makes_another_document() -> None:
    ids = {run(NAME, report_arguments())["document_id"]}
    ids.add(run(NAME, report_arguments(summary="Another word."))["document_id"])
    Customer.objects.filter(pk="C-1001").update(phone="+31 10 555 0199")
    ids.add(run(NAME, report_arguments())["document_id"])
    assert len(ids) == 3


def test_findings_stand_in_the_regulations_order_whatever_order_they_came_in() -> None:
    forward, backward = findings(), findings()[::-1]
    assert (
        run(NAME, report_arguments(findings=forward))["document_id"]
        == run(NAME, report_arguments(findings=backward))["document_id"]
    )


def test_a_requirement_without_a_finding_is_refused() -> None:
    said = _refused(report_arguments(findings=findings()[:4]))
    assert "also has the requirements AML-6.5, AML-6.6" in said


def test_a_requirement_that_does_not_exist_is_refused() -> None:
    extra = {**findings()[0], "requirement_id": "AML-6.9"}
    said = _refused(report_arguments(findings=[*findings(), extra]))
    assert said == "AML-6 has no requirement AML-6.9."


def test_two_findings_on_one_requirement_are_refused() -> None:
    with pytest.raises(ToolInputError, match=r"more than one finding for AML-6\.1"):
        TOOL.parse(report_arguments(findings=[*findings(), findings()[0]]))


def test_a_finding_that_names_no_record_is_refused_unless_it_is_unclear() -> None:
    assert "AML-6.1 names no record" in _refused(_with_source("common knowledge"))
    assert run(NAME, _with_source("nothing on file", status="unclear"))


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("C-1002", "C-1002 is another customer than C-1001"),
        ("C-1001 and DOC-000000000000", "no document DOC-000000000000"),
        ("M-2001", "M-2001 is about C-1002, not C-1001"),
        ("M-9999", "no message M-9999"),
    ],
)
def test_a_source_that_is_not_this_customers_is_refused(source: str, why: str) -> None:
    assert why in _refused(_with_source(source))


def test_another_customers_document_is_no_source() -> None:
    theirs = Document.objects.get(customer="C-1002").document_id
    assert f"{theirs} is about C-1002" in _refused(_with_source(theirs))


def test_messages_and_general_documents_can_be_sources() -> None:
    CustomerMessage.objects.filter(pk="M-2005").update(customer="C-1001")
    guidance = Document.objects.get(customer=None).document_id
    output = run(NAME, _with_source(f"M-2005, {guidance}"))
    text = Document.objects.get(pk=output["document_id"]).text
    assert "M-2005: Message “Change of bank and ownership”, received 21 November 2026" in text
    assert f"{guidance}: Accepted forms of proof, 5 January 2026" in text


@pytest.mark.parametrize("text", ["東京", "שלום", "سلام", "☃"])
def test_what_the_fonts_cannot_show_is_refused_not_left_out(text: str) -> None:
    said = _refused(report_arguments(title=f"On {text}"))
    assert said.startswith("Arguments") is False
    assert f"U+{ord(min(text)):04X}" in said


def test_a_customers_name_that_cannot_be_shown_is_refused_too() -> None:
    Customer.objects.filter(pk="C-1001").update(name="東京海運")
    assert "The document cannot show" in _refused(report_arguments())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"customer_id": "C-4040"}, "no customer C-4040"),
        ({"regulation_code": "AML-7"}, "no regulation AML-7"),
    ],
)
def test_unknown_records_are_refused(changes: dict[str, Any], why: str) -> None:
    assert why in _refused(report_arguments(**changes))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"title": ""}, "blank"),
        ({"title": "x" * 121}, "at most 120"),
        ({"title": "a\nb"}, r"U\+000A"),
        ({"summary": "x" * 4001}, "at most 4000"),
        ({"summary": "a\u202eb"}, r"U\+202E"),
        ({"findings": []}, "at least 1"),
        ({"authority": "me"}, "authority is no argument"),
    ],
)
def test_texts_that_do_not_fit_are_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ToolInputError, match=why):
        TOOL.parse(report_arguments(**changes))


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        (Customer.objects.filter(pk="C-1001"), "phone", "+31 10 555 0199"),
        (Regulation.objects.filter(pk="AML-6"), "title", "Another title"),
        (Regulation.objects.filter(pk="AML-6"), "requirements", "reworded"),
        (CustomerMessage.objects.filter(pk="M-2001"), "subject", "Another subject"),
    ],
)
def test_what_moved_on_since_people_approved_is_not_reported_on(
    changed: QuerySet[Any], field: str, value: str
) -> None:
    """Whatever the report would say else than they read: its ids and arguments are the same."""
    CustomerMessage.objects.filter(pk="M-2001").update(customer="C-1001")
    arguments = _with_source("C-1001, M-2001")
    approved = _version_of(arguments)
    reworded = [{**one, "text": f"{one['text']} Or not."} for one in _requirements()]
    changed.update(**{field: reworded if value == "reworded" else value})
    with pytest.raises(ToolError, match="changed after people approved"):
        run(NAME, arguments, target_version=approved)
    assert _seen(arguments, approved)["stale"] is True
    assert run(NAME, arguments, target_version=_version_of(arguments))


def test_a_day_that_passed_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """People are told that the document bears the day on which it is made."""
    approved = _version_of(report_arguments())
    monkeypatch.setattr(timezone, "localdate", lambda: date(2031, 5, 4))
    assert _seen(report_arguments(), approved)["stale"] is False
    made = run(NAME, report_arguments(), target_version=approved)
    assert "4 May 2031" in Document.objects.get(pk=made["document_id"]).text


def test_it_speaks_in_the_name_of_the_organisation_and_production_must_give_one(
    settings: Settings,
) -> None:
    settings.AGENTOPS_ORGANISATION = "Ålesund Compliance AS"
    made = run(NAME, report_arguments())
    assert "Ålesund Compliance AS" in Document.objects.get(pk=made["document_id"]).text
    settings.AGENTOPS_ORGANISATION, settings.AGENTOPS_ENV = "", "production"
    with pytest.raises(ToolError, match="set AGENTOPS_ORGANISATION"):
        run(NAME, report_arguments())


def test_its_target_is_the_customers_record() -> None:
    assert TOOL.target is not None
    target = TOOL.target(TOOL.parse(report_arguments()))
    assert target is not None
    assert (target.kind, target.id) == ("customer", "C-1001")
    assert target.label == "Marlowe Shipping B.V. (C-1001)"
    assert re.fullmatch(r"1\+[0-9a-f]{16}", target.version)


def test_the_preview_holds_the_very_report_that_would_be_made() -> None:
    assert TOOL.preview is not None
    parsed = TOOL.parse(report_arguments())
    seen = TOOL.preview(parsed)
    assert seen["sentence"].endswith("on Marlowe Shipping B.V. under AML-6")
    assert seen["problem"] is None
    assert seen["customer_version"] == 1
    pdf, pages = draft(parsed)
    assert not Document.objects.filter(kind=Document.REPORT).exists()
    output = run(NAME, report_arguments())
    assert output["document_id"] == seen["report"].document_id
    assert (output["sha256"], output["pages"]) == (hashlib.sha256(pdf).hexdigest(), pages)


def test_the_preview_says_why_it_cannot_be_made() -> None:
    assert TOOL.preview is not None
    seen = TOOL.preview(TOOL.parse(report_arguments(customer_id="C-4040")))
    assert (seen["report"], seen["problem"][:28]) == (None, "There is no customer C-4040;")


def test_the_headline_is_made_of_the_arguments() -> None:
    assert TOOL.headline is not None
    assert TOOL.headline(TOOL.parse(report_arguments())) == (
        "Make the report “Due diligence report on Marlowe Shipping B.V.” on customer C-1001 "
        "under AML-6"
    )

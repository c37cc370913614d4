from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Annotated, Any, Literal

from django.utils import timezone
from pydantic import AfterValidator, Field

from tools import conf, records
from tools.base import Effect, Target, ToolContext, ToolError, ToolInputError, always, tool
from tools.decisions import Confirmation, Listed
from tools.looking import Looking
from tools.models import Customer, Document, Regulation
from tools.pages import Paper
from tools.report import Finding, Report
from tools.report_pdf import render, unprintable
from tools.report_sources import sources
from tools.schemas import Arguments
from tools.text import Line, line, paragraphs


class FindingArgument(Arguments):
    requirement_id: Annotated[str, Field(max_length=40, description="from lookup_regulation")]
    finding: Annotated[
        str,
        Field(max_length=1500, description="what the records say, in sentences"),
        AfterValidator(paragraphs),
    ]
    status: Literal["met", "not_met", "unclear"]
    source: Annotated[
        Line, Field(description="the ids of the records that say so, like C-1001 or DOC-…")
    ]


def _once_each(findings: list[FindingArgument]) -> list[FindingArgument]:
    ids = [finding.requirement_id for finding in findings]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise ValueError(f"has more than one finding for {', '.join(twice)}")
    return findings


def check(arguments: Any) -> None:
    """Raise ToolError unless the report can be made as asked."""
    _refuse_unprintable(_report(arguments))


def target(arguments: Any) -> Target:
    """Return the customer's record, at a version of all that the report would say now: its facts,
    the regulation's words and the sources' titles are printed as they are."""
    record = records.customer(arguments.customer_id)
    version = _version(record, _report(arguments))
    return Target("customer", record.customer_id, version, str(record))


def headline(arguments: Any, customer: str = "") -> str:
    whom = customer or f"customer {arguments.customer_id}"
    return f"Make the report “{arguments.title}” on {whom} under {arguments.regulation_code}"


def draft(arguments: Any) -> tuple[bytes, int]:
    """Return the PDF as it would be if approved today, and its pages. Stores nothing."""
    return render(_report(arguments))


@lru_cache(maxsize=16)
def _rendered(report: Report) -> tuple[bytes, int]:
    """Render once for everybody who looks; the same report gives the same bytes."""
    return render(report)


def _paper(report: Report) -> Paper:
    content, pages = _rendered(report)
    return Paper(
        title="The document as it would be made now",
        sha256=hashlib.sha256(content).hexdigest(),
        pages=pages,
        size=len(content),
        read=lambda: content,
    )


def preview(arguments: Any, looking: Looking = Looking()) -> dict[str, Any]:  # noqa: B008 frozen
    """Return what the report will say.

    `report`: a tools.report.Report (title, authority, facts, outcome, findings, sources, …), or
    None with `problem` saying why it cannot be made; `customer_version`: whose facts are shown;
    `papers`: the PDF itself, the same bytes as are made as long as the day and all it says stay;
    `stale`: it would have said something else when this was proposed.
    """
    try:
        report = _report(arguments)
        _refuse_unprintable(report)
    except ToolError as error:
        return {"sentence": headline(arguments), "report": None, "problem": str(error)}
    record = records.customer(arguments.customer_id)
    then = looking.version if looking.is_ahead else None
    return {
        "sentence": headline(arguments, customer=report.customer_name),
        "report": report,
        "papers": [_paper(report)],
        "customer_version": record.version,
        "stale": then not in (None, _version(record, report)),
        "problem": None,
    }


def confirm(arguments: Any) -> Confirmation:
    about = {"About": arguments.customer_id, "Under": arguments.regulation_code}
    return Confirmation(facts={"Title": arguments.title, **about})


def outcome(arguments: Any, output: Any) -> str:
    pages = f"{output['pages']} page{'s' if output['pages'] != 1 else ''}"
    return f"Document {output['document_id']} made, {pages}. sha256 {output['sha256'][:16]}…"


def _read(arguments: Any) -> list[tuple[str, str]]:
    """Return the regulation, and the records that the findings rest on."""
    cited = [key for finding in arguments.findings for key in records.cited_in(finding.source)]
    return [("regulation", arguments.regulation_code), *cited]


@tool(
    effect=Effect.TRANSACTIONAL,
    approval=always(reason="A document for an authority needs a person."),
    check=check,
    target=target,
    customer=lambda arguments: arguments.customer_id,
    headline=headline,
    verb="Make this document",
    consequence="Kept for good, and never changed. Nothing leaves the house.",
    risk="medium",
    template="desk/preview/generate_compliance_document.html",
    preview=preview,
    confirm=confirm,
    reasons=(
        "The facts are wrong",
        "A source is missing",
        "Wrong customer or regulation",
        "Wrong wording or title",
        "Not needed",
    ),
    outcome=outcome,
    listed=Listed(record=lambda arguments: ("customer", arguments.customer_id), reads=_read),
)
def generate_compliance_document(
    *,
    customer_id: records.CustomerId,
    regulation_code: records.RegulationCode,
    title: Annotated[str, Field(max_length=120), AfterValidator(line)],
    summary: Annotated[
        str,
        Field(max_length=4000, description="two or three paragraphs"),
        AfterValidator(paragraphs),
    ],
    findings: Annotated[
        list[FindingArgument], Field(min_length=1, max_length=40), AfterValidator(_once_each)
    ],
    context: ToolContext,
) -> dict[str, Any]:
    """Make a compliance report as a PDF and keep it. Give one finding for each requirement of the
    regulation; each names the records it rests on. Facts about the customer are added from the
    record. A person decides on it first. The answer gives the document's id and the sha256 of its
    file, which submit_to_regulator asks for."""
    record = records.customer(customer_id, lock=True)
    report = _assembled(
        record, records.regulation(regulation_code), title=title, summary=summary, findings=findings
    )
    if context.target_version not in (None, _version(record, report)):
        raise ToolError(
            f"What this report on {customer_id} says changed after people approved it; propose it "
            "anew."
        )
    _refuse_unprintable(report)
    document = _kept(report, made_by=context)
    return {
        "document_id": document.document_id,
        "sha256": document.sha256,
        "content_sha256": report.digest,
        "pages": document.pages,
        "title": document.title,
    }


def _version(record: Customer, report: Report) -> str:
    """Return the record's version, `+`, and a digest of what the report says on whatever day."""
    return f"{record.version}+{report.undated}"


def _report(arguments: Any) -> Report:
    return _assembled(
        records.customer(arguments.customer_id),
        records.regulation(arguments.regulation_code),
        title=arguments.title,
        summary=arguments.summary,
        findings=arguments.findings,
    )


def _assembled(
    record: Customer,
    regulation: Regulation,
    *,
    title: str,
    summary: str,
    findings: list[FindingArgument],
) -> Report:
    """Return the report as of today; ToolInputError when findings and requirements differ."""
    complete = _matched(regulation, findings)
    return Report(
        organisation=conf.organisation(),
        title=title,
        authority=regulation.authority,
        regulation_code=regulation.code,
        regulation_title=regulation.title,
        customer_id=record.customer_id,
        customer_name=record.name,
        facts=tuple(records.facts(record)),
        summary=summary,
        findings=complete,
        sources=sources(record, complete),
        day=timezone.localdate(),
    )


def _matched(regulation: Regulation, findings: list[FindingArgument]) -> tuple[Finding, ...]:
    """Return a finding per requirement, in the regulation's order."""
    given = {finding.requirement_id: finding for finding in findings}
    texts = {one["id"]: one["text"] for one in regulation.requirements}
    if unknown := sorted(given.keys() - texts.keys()):
        raise ToolInputError(f"{regulation.code} has no requirement {', '.join(unknown)}.")
    if missing := [one for one in texts if one not in given]:
        raise ToolInputError(
            f"{regulation.code} also has the requirements {', '.join(missing)}: give a finding for "
            "each; where the records do not say, its status is unclear."
        )
    return tuple(
        Finding(
            requirement_id=one,
            requirement=text,
            status=given[one].status,
            finding=given[one].finding,
            source=given[one].source,
        )
        for one, text in texts.items()
    )


def _refuse_unprintable(report: Report) -> None:
    if missing := unprintable(report.as_text()):
        raise ToolInputError(
            f"The document cannot show {', '.join(missing[:10])}; write it in other characters."
        )


def _kept(report: Report, *, made_by: ToolContext) -> Document:
    """Store the report, or return the very same one stored before."""
    content, pages = render(report)
    sha256 = hashlib.sha256(content).hexdigest()
    document, _ = Document.objects.get_or_create(
        document_id=report.document_id,
        defaults={
            "kind": Document.REPORT,
            "title": report.title,
            "customer_id": report.customer_id,
            "regulation_id": report.regulation_code,
            "text": report.as_text(),
            "content": content,
            "content_type": "application/pdf",
            "sha256": sha256,
            "pages": pages,
            "made_by_call": made_by.call_id,
        },
    )
    return document

"""Filing a report with an authority; `tools/filings.py` has the conversation over HTTP."""

from __future__ import annotations

import base64
import json
from typing import Any

from tools import conf, records
from tools.base import (
    DAY_S,
    Effect,
    Target,
    ToolContext,
    ToolError,
    ToolInputError,
    always,
    tool,
)
from tools.deadline import Deadline
from tools.decisions import Confirmation, Listed
from tools.filings import Filing, desk_of, hand_in
from tools.models import Document, Regulator
from tools.text import Line

TEST = "Goes to the authority\u2019s test desk at once, and counts for nothing."


def check(arguments: Any) -> None:
    """Raise ToolError unless this document may be filed there as asked."""
    _checked(arguments.regulator_id, arguments.document_id, arguments.document_sha256)


def target(arguments: Any) -> Target:
    """Return the regulator's row: people approve a filing to this address, TEST or LIVE."""
    found = records.regulator(arguments.regulator_id)
    return Target("regulator", found.regulator_id, str(found.version), str(found))


def customer(arguments: Any) -> str | None:
    """Return whom the document is about."""
    return Document.objects.values_list("customer_id", flat=True).get(pk=arguments.document_id)


def headline(arguments: Any) -> str:
    return f"File {arguments.document_id} with {arguments.regulator_id}: “{arguments.subject}”"


def preview(arguments: Any) -> dict[str, Any]:
    """Return what is filed, and where.

    `regulator`: {regulator_id, name, country, environment TEST|LIVE, is_live, host};
    `document`: {document_id, title, pages, size, sha256, made_on, customer_id, customer_name,
    regulation_code}; `document_text`: what it says; `papers`: its PDF; `sent`: [(label, value)] of
    what is sent; `checks`: [(what was looked at, what is wrong: "" is nothing)]; `digest_matches`;
    `problem`: why it would be refused now, or None. With an unknown regulator or document only
    `sentence` and `problem`. `consequence`: what a TEST filing means; empty for a LIVE one.
    """
    try:
        authority = records.regulator(arguments.regulator_id)
        document = records.document(arguments.document_id, with_bytes=True)
    except ToolError as error:
        return {"sentence": headline(arguments), "problem": str(error)}
    about = document.customer.name if document.customer else document.title
    return {
        "sentence": f"File a report about {about} with the {authority.name}",
        "consequence": "" if authority.is_live else TEST,
        "regulator": _regulator_facts(authority),
        "document": _document_facts(document),
        "document_text": document.text,
        "subject": arguments.subject,
        "papers": [records.paper(document)] if document.content_type == records.PDF else [],
        "sent": _sent(document, subject=arguments.subject),
        "checks": _checks(authority, document, arguments.document_sha256),
        "digest_matches": document.sha256 == arguments.document_sha256,
        "problem": _problem(arguments),
    }


def confirm(arguments: Any) -> Confirmation:
    """A LIVE filing is approved only by typing the authority's name."""
    authority = records.regulator(arguments.regulator_id)
    where = f"{authority.name} ({authority.regulator_id}), {authority.environment}"
    facts = {"Authority": where, "Document": arguments.document_id, "Subject": arguments.subject}
    return Confirmation(facts=facts, typed=authority.name if authority.is_live else "")


def outcome(arguments: Any, output: Any) -> str:
    said = f"Filed with {output['regulator_id']}, {output['environment']}"
    return f"{said}: receipt {output['receipt']}, {output['status']}."


@tool(
    effect=Effect.IDEMPOTENT,
    key_window_s=DAY_S,
    approval=always(votes=2, reason="Everything sent to an authority needs two people."),
    check=check,
    target=target,
    customer=customer,
    headline=headline,
    verb="File this report",
    consequence="Goes to the authority at once. Cannot be undone.",
    risk="high",
    template="desk/preview/submit_to_regulator.html",
    preview=preview,
    confirm=confirm,
    reasons=(
        "The facts are wrong",
        "Not enough grounds",
        "Wrong authority or form",
        "A newer document exists",
        "Must wait for the customer",
        "Not needed",
    ),
    outcome=outcome,
    listed=Listed(record=lambda arguments: ("regulator", arguments.regulator_id)),
)
def submit_to_regulator(
    *,
    regulator_id: records.RegulatorId,
    document_id: records.DocumentId,
    document_sha256: records.Sha256,
    subject: Line,
    context: ToolContext,
) -> dict[str, Any]:
    """File a compliance document with the regulator that lookup_regulation names. Two people
    decide on it first. `document_sha256` is the sha256 that generate_compliance_document gave. The
    answer holds the authority's filing id and receipt, and whether it was `accepted` or only
    `received`; then read_filing tells the authority's verdict once there is one."""
    authority, document = _checked(regulator_id, document_id, document_sha256)
    filing = Filing(
        authority=authority.name,
        where=desk_of(authority),
        body=_body(document, subject=subject),
        key=context.idempotency_key,
    )
    receipt = hand_in(filing, Deadline(context.deadline_s))
    return {
        **receipt,
        "regulator_id": regulator_id,
        "environment": authority.environment,
        "document_id": document_id,
        "document_sha256": document_sha256,
    }


def _checked(
    regulator_id: str, document_id: str, document_sha256: str
) -> tuple[Regulator, Document]:
    authority = records.regulator(regulator_id)
    document = records.document(document_id, with_bytes=True)
    for _, wrong in _checks(authority, document, document_sha256):
        if wrong:
            raise ToolInputError(wrong)
    desk_of(authority)
    return authority, document


def _checks(
    authority: Regulator, document: Document, document_sha256: str
) -> list[tuple[str, str]]:
    """Return what a filing is held against, each with what is wrong about it; empty is well."""
    is_report = document.kind == Document.REPORT and document.regulation is not None
    right = document.regulation.regulator_id if document.regulation else ""
    return [
        (
            "The document has the sha256 that the call names",
            ""
            if document.sha256 == document_sha256
            else f"{document.document_id} has another sha256 than the one given; read_document "
            "tells it.",
        ),
        (
            "It is a compliance report, made by generate_compliance_document",
            ""
            if is_report
            else f"{document.document_id} is a {document.kind.replace('_', ' ')}; only a "
            "compliance report made by generate_compliance_document can be filed.",
        ),
        (
            f"Filings under {document.regulation_id or 'its regulation'} go to this authority",
            ""
            if right in ("", authority.regulator_id)
            else f"{document.document_id} answers to {document.regulation_id}, whose filings go "
            f"to {right}, not to {authority.regulator_id}.",
        ),
    ]


def _sent(document: Document, *, subject: str) -> list[tuple[str, str]]:
    """Return what the authority gets, in words."""
    return [
        ("Subject", subject),
        ("Sender", conf.organisation()),
        ("Regulation", document.regulation_id or "none"),
        ("Document", f"{document.document_id}, {document.title}"),
        ("Form", f"{document.content_type}, {len(document.content):,} bytes"),
        ("In all", f"{len(_body(document, subject=subject)):,} bytes of JSON"),
    ]


def _body(document: Document, *, subject: str) -> bytes:
    """Return the filing as JSON, byte for byte the same on every try."""
    filing = {
        "subject": subject,
        "sender": conf.organisation(),
        "regulation": document.regulation_id,
        "document": {
            "id": document.document_id,
            "title": document.title,
            "content_type": document.content_type,
            "sha256": document.sha256,
            "content_base64": base64.b64encode(bytes(document.content)).decode(),
        },
    }
    return json.dumps(filing, sort_keys=True, ensure_ascii=False).encode()


def _regulator_facts(authority: Regulator) -> dict[str, Any]:
    try:
        host = desk_of(authority).host
    except ToolError:
        host = ""
    return {
        "regulator_id": authority.regulator_id,
        "name": authority.name,
        "country": authority.country,
        "environment": authority.environment,
        "is_live": authority.is_live,
        "host": host,
    }


def _document_facts(document: Document) -> dict[str, Any]:
    return {
        "document_id": document.document_id,
        "title": document.title,
        "pages": document.pages,
        "size": len(document.content),
        "sha256": document.sha256,
        "made_on": document.created_at,
        "customer_id": document.customer_id,
        "customer_name": document.customer.name if document.customer else "",
        "regulation_code": document.regulation_id,
    }


def _problem(arguments: Any) -> str | None:
    try:
        check(arguments)
    except ToolError as error:
        return str(error)
    return None

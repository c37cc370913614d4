"""Filing a report over HTTP, with an Idempotency-Key that the authority honours.

A refusal (409, 422 and their like) is a ToolError in the authority's words: nothing was filed. When
no clear answer came (a timeout, a broken connection, 5xx) the same bytes go out again under the
same key while there is time; after that OutcomeUnknown is raised, and asking again with that key
stays safe: the authority answers with the first receipt.
"""

from __future__ import annotations

import base64
import json
import random
import time
from dataclasses import dataclass
from typing import Any

from tools import conf, records
from tools.base import (
    Effect,
    OutcomeUnknown,
    Target,
    ToolContext,
    ToolError,
    ToolInputError,
    always,
    tool,
)
from tools.deadline import Deadline
from tools.endpoints import (
    Answer,
    BrokenOff,
    Endpoint,
    EndpointRefused,
    Unreachable,
    endpoint,
    post,
)
from tools.models import Document, Regulator
from tools.text import Line

TRIES = 3
LONGEST_TRY_S = 15.0
PAUSES_S = (0.2, 1.0)
TAKEN = (200, 201, 202)
ASK_AGAIN = (408, 425, 429, 500, 502, 503, 504)


def check(arguments: Any) -> None:
    """Raise ToolError unless this document may be filed there as asked."""
    _checked(arguments.regulator_id, arguments.document_id, arguments.document_sha256)


def target(arguments: Any) -> Target:
    """Return the regulator's row: people approve a filing to this address, TEST or LIVE."""
    found = records.regulator(arguments.regulator_id)
    return Target("regulator", found.regulator_id, str(found.version), str(found))


def headline(arguments: Any) -> str:
    return f"File {arguments.document_id} with {arguments.regulator_id}: “{arguments.subject}”"


def preview(arguments: Any) -> dict[str, Any]:
    """Return what is filed, and where.

    `regulator`: {regulator_id, name, country, environment TEST|LIVE, is_live, host};
    `document`: {document_id, title, pages, size, sha256, made_on, customer_id, customer_name,
    regulation_code}; `digest_matches`; `problem`: why it would be refused now, or None. With an
    unknown regulator or document only `sentence` and `problem`.
    """
    try:
        authority = records.regulator(arguments.regulator_id)
        document = records.document(arguments.document_id)
    except ToolError as error:
        return {"sentence": headline(arguments), "problem": str(error)}
    about = document.customer.name if document.customer else document.title
    return {
        "sentence": f"File a report about {about} with the {authority.name}",
        "regulator": _regulator_facts(authority),
        "document": _document_facts(document),
        "subject": arguments.subject,
        "digest_matches": document.sha256 == arguments.document_sha256,
        "problem": _problem(arguments),
    }


@tool(
    effect=Effect.IDEMPOTENT,
    approval=always(votes=2, reason="Everything sent to an authority needs two people."),
    check=check,
    target=target,
    headline=headline,
    verb="File this report",
    consequence="Goes to the authority at once. Cannot be undone.",
    risk="high",
    template="desk/preview/submit_to_regulator.html",
    preview=preview,
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
    answer holds the authority's filing id and receipt."""
    authority, document = _checked(regulator_id, document_id, document_sha256)
    where = _endpoint(authority)
    filing = _Filing(
        authority=authority,
        where=where,
        body=_body(document, subject=subject),
        headers={
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Idempotency-Key": context.idempotency_key,
            "User-Agent": "AgentOps",
        },
    )
    receipt = _file(filing, Deadline(context.deadline_s))
    return {
        **receipt,
        "regulator_id": regulator_id,
        "environment": authority.environment,
        "document_id": document_id,
        "document_sha256": document_sha256,
    }


@dataclass(frozen=True, kw_only=True)
class _Filing:
    authority: Regulator
    where: Endpoint
    body: bytes
    headers: dict[str, str]


def _checked(
    regulator_id: str, document_id: str, document_sha256: str
) -> tuple[Regulator, Document]:
    authority, document = records.regulator(regulator_id), records.document(document_id)
    if document.sha256 != document_sha256:
        raise ToolInputError(
            f"{document_id} has another sha256 than the one given; read_document tells it."
        )
    if document.kind != Document.REPORT or document.regulation is None:
        raise ToolInputError(
            f"{document_id} is a {document.kind.replace('_', ' ')}; only a compliance report made "
            "by generate_compliance_document can be filed."
        )
    right = document.regulation.regulator_id
    if right != regulator_id:
        raise ToolInputError(
            f"{document_id} answers to {document.regulation_id}, whose filings go to {right}, "
            f"not to {regulator_id}."
        )
    _endpoint(authority)
    return authority, document


def _endpoint(authority: Regulator) -> Endpoint:
    try:
        return endpoint(authority.endpoint, may_be_loopback=not authority.is_live)
    except EndpointRefused as error:
        raise ToolError(f"{authority.regulator_id} cannot be filed with: {error}.") from error


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


def _file(filing: _Filing, deadline: Deadline) -> dict[str, str]:
    """Return the receipt; try again, with the same key, whatever leaves the outcome open."""
    unknown: list[str] = []
    last = "there was no time to try"
    for pause in (0.0, *PAUSES_S)[:TRIES]:
        if not deadline.has(pause + 0.1):
            break
        time.sleep(pause * random.uniform(0.8, 1.2))
        try:
            answer = _post(filing, deadline)
        except Unreachable as error:
            last = f"it is out of reach ({error})"
            continue
        except BrokenOff as error:
            last = f"the connection broke off ({error})"
            unknown.append(last)
            continue
        if answer.status in TAKEN:
            return _receipt(filing, answer)
        last = f"it answered {answer.status}: {_words(answer)}"
        if answer.status >= 500:
            unknown.append(last)
        elif answer.status == 409 and unknown:  # the first try may still be under way over there
            continue
        elif answer.status not in ASK_AGAIN:
            raise ToolError(f"{filing.authority.name} refused the filing: {last}")
    if unknown:
        raise OutcomeUnknown(f"{filing.authority.name} may hold the filing: {'; '.join(unknown)}.")
    raise ToolError(f"Nothing was filed with {filing.authority.name}: {last}.")


def _post(filing: _Filing, deadline: Deadline) -> Answer:
    try:
        return post(
            filing.where,
            body=filing.body,
            headers=filing.headers,
            timeout_s=min(deadline.left(), LONGEST_TRY_S),
        )
    except EndpointRefused as error:
        raise ToolError(f"Nothing was filed with {filing.authority.name}: {error}.") from error


def _receipt(filing: _Filing, answer: Answer) -> dict[str, str]:
    """Return what the authority says of the filing; without a receipt its outcome is unknown."""
    try:
        said = json.loads(answer.body)
        receipt = {name: said[name] for name in ("receipt", "filing_id", "accepted_at")}
    except (ValueError, KeyError, TypeError):
        receipt = {}
    if not receipt or not all(isinstance(value, str) and value for value in receipt.values()):
        raise OutcomeUnknown(
            f"{filing.authority.name} answered {answer.status} without a receipt: {_words(answer)}"
        )
    return {**receipt, "status": "received" if answer.status == 202 else "accepted"}


def _words(answer: Answer) -> str:
    """Return the authority's own words, one line of at most 300 characters."""
    try:
        said = json.loads(answer.body)
        text = str(said.get("error") or said) if isinstance(said, dict) else str(said)
    except (ValueError, RecursionError):
        text = answer.body[:1000].decode(errors="replace")
    return " ".join(text.split())[:300] or "no words"


def _regulator_facts(authority: Regulator) -> dict[str, Any]:
    try:
        host = _endpoint(authority).host
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

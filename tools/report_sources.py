"""The records that a compliance report's findings cite, each in the state it is in."""

from __future__ import annotations

from tools import records
from tools.base import ToolInputError
from tools.models import Customer, CustomerMessage, Document
from tools.report import Finding, Source


def sources(record: Customer, findings: tuple[Finding, ...]) -> tuple[Source, ...]:
    """Return the records cited, each once; ToolInputError for one that is not this customer's."""
    cited: dict[str, Source] = {}
    for finding in findings:
        ids = [one for _, one in records.cited_in(finding.source)]
        if not ids and finding.status != "unclear":
            raise ToolInputError(
                f"The finding on {finding.requirement_id} names no record; its source must hold an "
                f"id like {record.customer_id} or DOC-…"
            )
        cited |= {one: _source(record, one) for one in ids if one not in cited}
    return tuple(cited[one] for one in sorted(cited))


def _source(record: Customer, record_id: str) -> Source:
    if record_id.startswith("DOC-"):
        document = records.document(record_id)
        _refuse_foreign(record, document, record_id)
        state = f"{document.created_at:%-d %B %Y}, sha256 {document.sha256[:16]}…"
        return Source(record_id=record_id, title=document.title, state=state)
    if record_id.startswith("M-"):
        message = records.message(record_id)
        _refuse_foreign(record, message, record_id)
        state = f"received {message.received_at:%-d %B %Y}"
        return Source(record_id=record_id, title=f"Message “{message.subject}”", state=state)
    if record_id != record.customer_id:
        raise ToolInputError(f"{record_id} is another customer than {record.customer_id}.")
    return Source(record_id=record_id, title="Customer record", state=f"version {record.version}")


def _refuse_foreign(record: Customer, cited: Document | CustomerMessage, record_id: str) -> None:
    if cited.customer_id not in (None, record.customer_id):
        raise ToolInputError(f"{record_id} is about {cited.customer_id}, not {record.customer_id}.")

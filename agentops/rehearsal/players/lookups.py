"""Reads that more than one agent needs."""

from __future__ import annotations

from typing import Any

from agentops.rehearsal.conversation import Conversation
from agentops.rehearsal.players.common import Done, GaveUp, Propose, Standing, stand, tidied

MOST_SOURCES = 3
# What we wrote ourselves proves nothing.
OUR_REPORTS = "compliance_report"


def customer_record(talk: Conversation, customer_id: str) -> tuple[str, Standing]:
    """Return the tool to read the record with, and how it stands.

    An id that leads nowhere is searched for; the only customer found is then read.
    """
    record = stand(talk, "read_customer_record", first={"customer_id": customer_id}, repair=tidied)
    if not isinstance(record, GaveUp) or "find_customers" not in talk.tools:
        return "read_customer_record", record
    search = stand(talk, "find_customers", first={"query": customer_id or "?", "limit": 5})
    if isinstance(search, Propose):
        return "find_customers", search
    found = only_customer(search)
    tried = {outcome.call.values.get("customer_id") for outcome in talk.of("read_customer_record")}
    if found is None or found in tried:
        return "read_customer_record", record
    return "read_customer_record", Propose({"customer_id": found})


def only_customer(search: Standing) -> str | None:
    """Return the id of the one customer a search found; None for none or several."""
    output = search.outcome.output if isinstance(search, Done) else None
    found = output.get("customers") if isinstance(output, dict) else None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        return None
    return str(found[0].get("customer_id"))


def documents_on_file(talk: Conversation, customer_id: str) -> Standing:
    """Return how the list of this customer's documents stands; failing once is giving up."""
    for outcome in reversed(talk.of("list_customer_documents")):
        if outcome.call.values.get("customer_id") == customer_id:
            return Done(outcome) if outcome.status == "succeeded" else GaveUp(outcome.reason)
    if "list_customer_documents" not in talk.tools:
        return GaveUp("there is no such tool")
    return Propose({"customer_id": customer_id})


def part(talk: Conversation, tool: str, name: str) -> dict[str, Any]:
    """Return the object `name` in the latest output of a tool; empty when there is none."""
    found = (talk.output(tool) or {}).get(name)
    return found if isinstance(found, dict) else {}


def unread_documents(talk: Conversation, listed: Standing) -> list[str]:
    """Return the ids of documents on the list that are worth reading and were not asked for."""
    output = listed.outcome.output if isinstance(listed, Done) else None
    rows = output.get("documents") if isinstance(output, dict) else None
    if not isinstance(rows, list) or "read_document" not in talk.tools:
        return []
    asked = {outcome.call.values.get("document_id") for outcome in talk.of("read_document")}
    sources = [
        str(row.get("document_id"))
        for row in rows
        if isinstance(row, dict) and row.get("kind") != OUR_REPORTS
    ]
    return [one for one in sources[:MOST_SOURCES] if one not in asked]


def documents_read(talk: Conversation) -> list[dict[str, Any]]:
    """Return the documents read so far."""
    return [
        outcome.output["document"]
        for outcome in talk.of("read_document")
        if outcome.status == "succeeded"
        and isinstance(outcome.output, dict)
        and isinstance(outcome.output.get("document"), dict)
    ]

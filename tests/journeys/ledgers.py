"""What the outside says happened, as digests of the arguments that would have made it happen."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.db import connection

from executions.models import AgentToolCall
from tests.journeys.conftest import World
from tests.support.noting import NAME as NOTE
from tests.support.noting import notes
from tools.mail import message_id
from tools.models import Document, Regulation

OUTSIDE = ("send_email", "submit_to_regulator", NOTE)
Effect = tuple[str, str, str]  # tool, what the outside knows the call by, digest of its arguments


def told_outside(world: World, note_ledger: Path) -> Counter[Effect]:
    """Every effect in the ledgers of the mail server, the authority and the notes."""
    letters = (("send_email", one["key"].strip(), _letter(one)) for one in world.letters())
    filings = (
        ("submit_to_regulator", one["idempotency_key"], _filing(one))
        for one in world.authority.filings()
    )
    left = ((NOTE, one["key"], {"word": one["word"]}) for one in notes(note_ledger))
    return Counter((tool, key, digest(said)) for tool, key, said in (*letters, *filings, *left))


def approved_inside() -> Counter[Effect]:
    """Every call with an effect outside that people approved and that was started."""
    started = AgentToolCall.objects.filter(tool_name__in=OUTSIDE, started_at__isnull=False)
    return Counter(
        (call.tool_name, _known_by(call), review.input_digest)
        for call in started.prefetch_related("reviews")
        for review in call.reviews.all()
        if review.status == "approved"
    )


def digest(arguments: dict[str, Any]) -> str:
    """Return the digest the database makes of these arguments."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT agentops_digest(%s::jsonb)", [json.dumps(arguments)])
        return str(cursor.fetchone()[0])


def _known_by(call: AgentToolCall) -> str:
    key = str(call.idempotency_key)
    return message_id(key) if call.tool_name == "send_email" else key


def _letter(line: dict[str, Any]) -> dict[str, Any]:
    by_name = {one.filename: one.document_id for one in Document.objects.all()}
    return {
        "to": line["to"],
        "subject": line["subject"],
        "body": line["body"].replace("\r\n", "\n").removesuffix("\n"),
        "attach_document_ids": [by_name[name] for name in line["attachments"]],
    }


def _filing(line: dict[str, Any]) -> dict[str, Any]:
    """The authority is the one that this regulation belongs to: there is one ledger for all."""
    said = {name: line[name] for name in ("document_id", "document_sha256", "subject")}
    regulation = Regulation.objects.get(code=line["regulation"])
    return {"regulator_id": regulation.regulator_id, **said}

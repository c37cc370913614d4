"""I15 and I16: no secret is stored, and no content ended an execution."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db import connection

from executions.invariants.rule import Invariant, Situation, Violation

NEWEST = 2_000  # executions whose rows are searched; a live leak shows there
SHORTEST_SECRET = 12  # shorter ones ("postgres", "rehearsal") stand in honest text too
FETCHED = 500

NEWEST_ROWS = f"SELECT id FROM agent_executions ORDER BY created_at DESC, id DESC LIMIT {NEWEST}"
TEXTS = {
    "execution": f"""
        SELECT id::text, concat_ws(' ', input_data, state, result, error)
        FROM agent_executions WHERE id IN ({NEWEST_ROWS})""",
    "step": f"""
        SELECT execution_id || ' ' || step_number, concat_ws(' ', response, problem, tries)
        FROM agent_steps WHERE execution_id IN ({NEWEST_ROWS})""",
    "call": f"""
        SELECT id::text, concat_ws(' ', tool_input, proposed_input, tool_output, error)
        FROM agent_tool_calls WHERE execution_id IN ({NEWEST_ROWS})""",
    "review": f"""
        SELECT r.id::text, concat_ws(' ', r.reason, v.reason)
        FROM agent_reviews r LEFT JOIN agent_review_votes v ON v.review_id = r.id
        WHERE r.execution_id IN ({NEWEST_ROWS})""",
    "definition": "SELECT sha256, body::text FROM agent_definitions",
    "audit event": f"""
        SELECT execution_id || ' ' || seq, detail::text
        FROM agent_audit WHERE execution_id IN ({NEWEST_ROWS})""",
    "switch": "SELECT scope || ' ' || key, reason FROM agent_controls",
    "check": "SELECT id::text, findings::text FROM agent_invariant_checks",
}
# The queue's pickles in base64: a failed task keeps its traceback, a message its arguments.
PACKED = {
    "task": f"""
        SELECT id, concat_ws(' ', args, kwargs, result) FROM django_q_task
        ORDER BY stopped DESC LIMIT {NEWEST}""",
    "ticket": f"SELECT id::text, payload FROM django_q_ormq ORDER BY id DESC LIMIT {NEWEST}",
}

# An end is final; what was mended since must not be reported for ever.
ENDED_BY_CONTENT = """
SELECT 'execution ' || e.id, 'it ended with ' || e.stop_reason || ': ' || left(e.error, 200)
FROM agent_executions e
WHERE e.completed_at > %(now)s - interval '1 day'
  AND e.stop_reason IN ('WRITE_REFUSED', 'INTERNAL_ERROR')
"""


def secrets() -> Mapping[str, str]:
    """Return the secrets this site is configured with, by the setting's name."""
    database: Mapping[str, Any] = settings.DATABASES["default"]
    found = {
        "OPENAI_API_KEY": settings.OPENAI_API_KEY,
        "SECRET_KEY": settings.SECRET_KEY,
        "the database's password": database.get("PASSWORD"),
        "EMAIL_HOST_PASSWORD": settings.EMAIL_HOST_PASSWORD,
    }
    return {name: value for name, value in found.items() if value and len(value) >= SHORTEST_SECRET}


def stored_secrets(situation: Situation) -> Iterator[Violation]:
    """Search here, not in SQL: a secret in a statement would stand in the server's log."""
    wanted = {name: _spellings(value) for name, value in secrets().items()}
    for kind, row, text in _texts():
        for name, spellings in wanted.items():
            if any(spelling in text for spelling in spellings):
                yield Violation(f"{kind} {row}", f"it holds {name}")


def _texts() -> Iterator[tuple[str, str, str]]:
    """Yield kind, row and text of whatever could hold a secret."""
    for kind, statement in TEXTS.items():
        for row, text in _rows(statement):
            yield kind, row, text
    for kind, statement in PACKED.items():
        for row, packed in _rows(statement):
            yield kind, row, packed + " ".join(map(_unpacked, re.split(r"[\s:.]+", packed)))


def _unpacked(packed: str) -> str:
    """Return what base64, and perhaps zlib, hides; nothing is unpickled."""
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_")
    except ValueError:
        return ""
    with contextlib.suppress(zlib.error):
        data = zlib.decompress(data)
    return data.decode("utf-8", errors="replace")


def _spellings(value: str) -> set[str]:
    """Return the secret as it stands in text and in JSON."""
    return {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}


def _rows(statement: str) -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(FETCHED):
            yield from rows


I15 = Invariant(
    name="I15",
    promise="no secrets in rows",
    counted="newest executions",
    count=f"SELECT least(count(*), {NEWEST}) FROM agent_executions",
    searches=(stored_secrets,),
)

I16 = Invariant(
    name="I16",
    promise="content cannot break storage",
    counted="executions ended within a day",
    count="SELECT count(*) FROM agent_executions WHERE completed_at > %(now)s - interval '1 day'",
    rules=(ENDED_BY_CONTENT,),
)

"""I6 and I9: at most one effect per call, and none after a cancel or behind a switch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db import connection

from executions.invariants.rule import Invariant, Ledger, Situation, Violation

DOUBLE_KEYS = """
SELECT 'key ' || c.idempotency_key, count(*) || ' calls have it'
FROM agent_tool_calls c WHERE c.idempotency_key IS NOT NULL
GROUP BY c.idempotency_key HAVING count(*) > 1
"""

# executions/core/idempotency.py makes the key from the call's place.
WRONG_KEYS = """
SELECT 'call ' || c.id, 'its idempotency key is not that of its place'
FROM agent_tool_calls c
WHERE c.idempotency_key IS NOT NULL AND c.idempotency_key <> encode(sha256(convert_to(
    c.execution_id || ':' || c.step_number || ':' || c.call_index, 'UTF8')), 'hex')
"""

NO_KEY = """
SELECT 'call ' || c.id, 'it started without an idempotency key'
FROM agent_tool_calls c
WHERE c.effect <> 'read' AND c.started_at IS NOT NULL AND c.idempotency_key IS NULL
"""

STARTED_CANCELLED = """
SELECT 'call ' || c.id, 'it started at ' || c.started_at || ', after the cancel at '
    || e.cancel_requested_at
FROM agent_tool_calls c JOIN agent_executions e ON e.id = c.execution_id
WHERE c.effect <> 'read' AND c.started_at > e.cancel_requested_at
"""

STARTED_ENDED = """
SELECT 'call ' || c.id, 'it started at ' || c.started_at || ', after its execution was '
    || e.status || ' at ' || e.completed_at
FROM agent_tool_calls c JOIN agent_executions e ON e.id = c.execution_id
WHERE c.started_at > e.completed_at
"""

# `changed_at` is when the change began; starts already under way may commit until it could.
STARTED_SWITCHED_OFF = """
SELECT 'call ' || c.id, 'it started at ' || c.started_at || ' although ' || s.scope || ' '
    || s.key || ' is ' || s.state || ' since ' || s.changed_at
FROM agent_controls s
JOIN agent_tool_calls c ON c.started_at > s.changed_at + interval '5 seconds'
JOIN agent_executions e ON e.id = c.execution_id
WHERE s.state <> 'on' AND c.effect <> 'read' AND (
    s.scope = 'all' OR s.scope = 'agent' AND s.key = e.agent_type
    OR s.scope = 'tool' AND s.key = c.tool_name)
"""

LEFT_THE_HOUSE = """
c.effect IN ('idempotent', 'once') AND (%(tool)s::text IS NULL OR c.tool_name = %(tool)s)
"""

# Of all calls, also those out of scope: the ledger may be older.
KNOWN = f"""
SELECT c.idempotency_key FROM {{schema}}.agent_tool_calls c
WHERE c.idempotency_key = ANY(%(keys)s) AND {LEFT_THE_HOUSE}
"""

# A person who settled a doubt as "it happened" answers for it; the ledger does not lie.
UNSEEN = f"""
SELECT c.id FROM agent_tool_calls c
WHERE c.status = 'succeeded' AND c.idempotency_key IS NOT NULL
  AND NOT c.idempotency_key = ANY(%(keys)s) AND {LEFT_THE_HOUSE}
"""


def against_ledgers(situation: Situation) -> Iterator[Violation]:
    """Compare the calls with what the outside saw: once each, and once if they succeeded."""
    for ledger in situation.ledgers:
        yield from _against(ledger, situation.schema)


def _against(ledger: Ledger, schema: str) -> Iterator[Violation]:
    seen = Counter(ledger.keys)
    values = {"keys": list(seen), "tool": ledger.tool}
    with connection.cursor() as cursor:
        cursor.execute(KNOWN.format(schema=connection.ops.quote_name(schema)), values)
        known = {key for (key,) in cursor.fetchall()}
        cursor.execute(UNSEEN, values)
        unseen = [id for (id,) in cursor.fetchall()]
    for key, times in seen.items():
        if times > 1:
            yield Violation(f"key {key}", f"the outside saw it {times} times")
        if key not in known:
            yield Violation(f"key {key}", "the outside saw it, but no call has started with it")
    for id in unseen:
        yield Violation(f"call {id}", "it succeeded, but the outside never saw it")


I6 = Invariant(
    name="I6",
    promise="at most once",
    counted="calls with a key",
    count="SELECT count(*) FROM agent_tool_calls WHERE idempotency_key IS NOT NULL",
    rules=(DOUBLE_KEYS, WRONG_KEYS, NO_KEY),
    searches=(against_ledgers,),
)

I9 = Invariant(
    name="I9",
    promise="cancel holds",
    counted="cancels",
    count="SELECT count(*) FROM agent_executions WHERE cancel_requested_at IS NOT NULL",
    rules=(STARTED_CANCELLED, STARTED_ENDED, STARTED_SWITCHED_OFF),
)

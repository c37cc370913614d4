"""What happened is kept (I12), and what the maintenance flag may and may not do."""

from __future__ import annotations

import pytest

from tests.executions.scene import Attack, Names, assert_refused, each, run

pytestmark = pytest.mark.django_db

COLUMN = {
    "agent_steps": "llm",
    "agent_review_votes": "vote",
    "agent_audit": "event",
    "agent_audit_seals": "heads_hash",
    "agent_definitions": "agent_type",
}
ROWS = ("agent_executions", "agent_tool_calls", "agent_reviews")
NOW = ["SET CONSTRAINTS ALL IMMEDIATE"]
ON = "SET LOCAL agentops.maintenance = 'on'"

APPEND_ONLY = [
    *(
        Attack(f"UPDATE {table}", f"UPDATE {table} SET {column} = {column}", "UPDATE is refused")
        for table, column in COLUMN.items()
    ),
    *(
        Attack(f"DELETE from {table}", f"DELETE FROM {table}", "DELETE is refused")
        for table in (*COLUMN, *ROWS)
    ),
    *(
        Attack(f"TRUNCATE {table}", [*NOW, f"TRUNCATE {table} CASCADE"], "TRUNCATE is refused")
        for table in (*COLUMN, *ROWS, "agent_gated_tools", "accounts_user")
    ),
]

GATES = [
    Attack("take a tool off the list", "DELETE FROM agent_gated_tools", "never opened or lowered"),
    Attack(
        "rename it on the list",
        "UPDATE agent_gated_tools SET tool_name = 'x' WHERE tool_name = 'send_email'",
        "the gate of send_email is never opened or lowered",
    ),
    Attack(
        "lower it by ON CONFLICT",
        "INSERT INTO agent_gated_tools VALUES ('submit_to_regulator', 1)"
        " ON CONFLICT (tool_name) DO UPDATE SET least_votes = excluded.least_votes",
        "never opened or lowered",
    ),
]

AUDIT = [
    Attack(
        "write into the audit trail by hand",
        "INSERT INTO agent_audit (execution_id, seq, event, prev_hash, hash)"
        " VALUES (%(execution)s, 99, 'voted_approve', '', '')",
        "INSERT is refused: agent_audit keeps what happened",
    ),
    Attack(
        "write into it by its own function",
        "SELECT agentops_audit(%(execution)s, 'voted_approve', %(rita)s, '{}')",
        "INSERT is refused: agent_audit keeps what happened",
    ),
]

FLAGGED = [
    *(
        Attack(f"TRUNCATE {table}", [ON, f"TRUNCATE {table} CASCADE"], "TRUNCATE is refused")
        for table in (*COLUMN, *ROWS, "agent_gated_tools")
    ),
    Attack(
        "change the audit trail", [ON, "UPDATE agent_audit SET event = ''"], "UPDATE is refused"
    ),
    Attack("change a seal", [ON, "UPDATE agent_audit_seals SET events = 0"], "UPDATE is refused"),
    Attack("delete a seal", [ON, "DELETE FROM agent_audit_seals"], "DELETE is refused"),
    Attack("delete a definition", [ON, "DELETE FROM agent_definitions"], "DELETE is refused"),
    Attack(
        "start without an approval",
        [
            ON,
            "UPDATE agent_tool_calls SET status = 'running', started_at = now(),"
            " idempotency_key = 'k' WHERE id = %(naked)s",
        ],
        "maintenance changes payloads, nothing else",
    ),
    Attack(
        "open a gate",
        [ON, "UPDATE agent_tool_calls SET gated = false WHERE id = %(naked)s"],
        "maintenance changes payloads, nothing else",
    ),
    Attack(
        "approve without votes",
        [ON, "UPDATE agent_reviews SET status = 'approved' WHERE id = %(asked_review)s"],
        "maintenance changes payloads, nothing else",
    ),
    Attack(
        "change arguments that may still run",
        [ON, "UPDATE agent_tool_calls SET tool_input = '{}' WHERE id = %(approved)s"],
        "maintenance waits for its end",
    ),
    Attack(
        "change the digest people approve",
        [ON, "UPDATE agent_reviews SET input_digest = 'x' WHERE id = %(asked_review)s"],
        "maintenance waits for its end",
    ),
    Attack(
        "change a step of a live execution",
        [ON, "UPDATE agent_steps SET response = '{}'"],
        "maintenance waits for its end",
    ),
    Attack(
        "change who voted what",
        [ON, "UPDATE agent_review_votes SET vote = 'reject'"],
        "maintenance changes payloads, nothing else",
    ),
    Attack(
        "redact what a legal hold protects",
        [ON, "UPDATE agent_executions SET result = NULL WHERE id = %(held_execution)s"],
        "for its legal hold",
    ),
    Attack(
        "delete what a legal hold protects",
        [ON, "DELETE FROM agent_tool_calls WHERE id = %(held_call)s"],
        "for its legal hold",
    ),
    Attack(
        "delete a live execution's calls",
        [ON, "DELETE FROM agent_tool_calls WHERE id = %(naked)s"],
        "maintenance waits for its end",
    ),
    Attack(
        "revive an ended execution",
        [ON, "UPDATE agent_executions SET status = 'pending' WHERE id = %(ended_execution)s"],
        "no way from completed to pending",
    ),
    Attack(
        "swap the launcher",
        [ON, "UPDATE agent_executions SET launched_by = NULL WHERE id = %(ended_execution)s"],
        "maintenance changes payloads, nothing else",
    ),
]


@each(APPEND_ONLY)
def test_nobody_can(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


@each(GATES)
def test_nobody_can_open_a_gate_to(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


@each(AUDIT)
def test_only_triggers_write_the_audit_trail_not_who_would(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


@each(FLAGGED)
def test_not_even_maintenance_can(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


def test_maintenance_may_redact_the_payloads_of_an_ended_execution(names: Names) -> None:
    run(names, ON)
    redacted = '\'{"redacted": "0"}\''
    run(
        names,
        f"UPDATE agent_tool_calls SET tool_input = {redacted}, proposed_input = {redacted},"
        f" tool_output = {redacted}, error = NULL WHERE id = %(ended_call)s",
    )
    run(
        names,
        f"UPDATE agent_executions SET input_data = {redacted}, result = {redacted}"
        " WHERE id = %(ended_execution)s",
    )


def test_maintenance_may_delete_an_ended_execution(names: Names) -> None:
    run(names, ON)
    for table in ("agent_tool_calls", "agent_audit"):
        run(names, f"DELETE FROM {table} WHERE execution_id = %(ended_execution)s")
    run(names, "DELETE FROM agent_executions WHERE id = %(ended_execution)s")


def test_the_flag_alone_is_nothing_to_who_does_not_own_the_tables(names: Names) -> None:
    run(names, ON)
    assert run(names, "SELECT agentops_in_maintenance('agent_steps')") == [(True,)]
    assert run(names, "SELECT agentops_in_maintenance('pg_class')") == [(False,)]


def test_the_audit_trail_of_all_this_is_unbroken(names: Names) -> None:
    assert run(names, "SELECT * FROM agentops_audit_broken()") == []
    assert run(names, "SELECT count(*) > 20 FROM agent_audit") == [(True,)]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE agent_audit SET event = 'cancelled' WHERE execution_id = %(execution)s AND seq = 2",
        "UPDATE agent_audit SET detail = '{}' WHERE execution_id = %(execution)s AND seq = 2",
        "UPDATE agent_audit SET at = now() WHERE execution_id = %(execution)s AND seq = 2",
        "UPDATE agent_audit SET actor_id = NULL WHERE execution_id = %(execution)s AND seq = 1",
        "DELETE FROM agent_audit WHERE execution_id = %(execution)s AND seq = 2",
    ],
)
def test_what_the_owner_of_the_tables_tampers_with_shows(names: Names, tampering: str) -> None:
    run(names, "ALTER TABLE agent_audit DISABLE TRIGGER USER")
    run(names, tampering)
    assert run(names, "SELECT DISTINCT execution_id FROM agentops_audit_broken()") == [
        (names["execution"],)
    ]


# A trigger that lists its columns guards a column added later only when that is put on its list.
UNGUARDED = """
SELECT t.tgname, a.attname FROM pg_trigger t JOIN pg_attribute a
    ON a.attrelid = t.tgrelid AND a.attnum > 0 AND NOT a.attisdropped
WHERE t.tgrelid = 'agent_review_votes'::regclass AND t.tgname IN ('append_only', 'maintain')
  AND a.attnum <> ALL (t.tgattr::int2[]) ORDER BY t.tgname
"""


def test_a_vote_has_no_column_that_can_be_changed_but_its_withdrawal(names: Names) -> None:
    assert run(names, UNGUARDED) == [
        ("append_only", "withdrawn_at"),
        ("maintain", "withdrawn_at"),
    ]


# Reports refuse nothing; all others decide what is allowed.
PINNED = """
SELECT p.proname FROM pg_proc p
WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'agent%%'
  AND p.proname NOT IN ('agent_health_metrics', 'agent_health_of') AND p.prosqlbody IS NULL
  AND p.prokind <> 'a'  -- an aggregate has no code of its own
  AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, public, pg_temp'], false)
"""


def test_no_guard_looks_into_temporary_tables_first(names: Names) -> None:
    assert run(names, PINNED) == []

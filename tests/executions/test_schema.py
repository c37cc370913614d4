"""The tables a plain SQL client sees: the given schema, our models on it, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections, models
from pytest_django import DjangoDbBlocker

from executions.core.states import CALL_MOVES, EXECUTION_MOVES, REVIEW_MOVES
from executions.models import AgentExecution
from tests import factories
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import REHEARSED
from tests.support.standing_runner import run_until_idle

UUID, TEXT, INT, JSON = "uuid", "text", "integer", "jsonb"
TIME = "timestamp with time zone"
NEW_ID, PENDING, EMPTY, NOW = "gen_random_uuid()", "'pending'::text", "'{}'::jsonb", "now()"
Column = tuple[str, bool, str | None]  # type, may be NULL, default

# The given schema, column by column. Where it let a column be NULL that we never leave so, ours is
# NOT NULL: state, step_count, token_count, created_at, updated_at, called_at.
GIVEN: dict[str, dict[str, Column]] = {
    "agent_executions": {
        "id": (UUID, False, NEW_ID),
        "user_id": (UUID, False, None),
        "agent_type": (TEXT, False, None),
        "status": (TEXT, False, PENDING),
        "input_data": (JSON, False, None),
        "state": (JSON, False, EMPTY),
        "result": (JSON, True, None),
        "error": (TEXT, True, None),
        "step_count": (INT, False, "0"),
        "token_count": (INT, False, "0"),
        "created_at": (TIME, False, NOW),
        "updated_at": (TIME, False, NOW),
        "completed_at": (TIME, True, None),
    },
    "agent_tool_calls": {
        "id": (UUID, False, NEW_ID),
        "execution_id": (UUID, False, None),
        "step_number": (INT, False, None),
        "tool_name": (TEXT, False, None),
        "tool_input": (JSON, False, None),
        "tool_output": (JSON, True, None),
        "status": (TEXT, False, PENDING),
        "latency_ms": (INT, True, None),
        "error": (TEXT, True, None),
        "called_at": (TIME, False, NOW),
    },
}
# Columns that Django need not know: the database compares it in a foreign key, nobody reads it.
NOT_IN_MODELS = {("agent_tool_calls", "review_status")}
MODELS = list(apps.get_app_config("executions").get_models())

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable = 'YES', column_default
FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY ordinal_position
"""
CONSTRAINT = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s
"""
TRACES = """
SELECT relname FROM pg_class WHERE relname LIKE 'agent\\_%' AND relkind = 'r'
UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'agentops\\_%' OR proname LIKE 'agent\\_%'
"""


def rows(sql: str, *values: Any, using: str = "default") -> list[Any]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


def columns(table: str) -> dict[str, Column]:
    return {row[1]: (row[2], row[3], row[4]) for row in rows(COLUMNS) if row[0] == table}


@pytest.mark.django_db
@pytest.mark.parametrize("table", GIVEN)
def test_every_given_column_has_its_name_type_and_default(table: str) -> None:
    found = columns(table)
    assert {name: found.get(name) for name in GIVEN[table]} == GIVEN[table]
    assert list(found)[: len(GIVEN[table])] == list(GIVEN[table]), "the given ones come first"


@pytest.mark.django_db
def test_the_given_constraint_is_there_under_its_name() -> None:
    ((said,),) = rows(CONSTRAINT, "agent_executions", "valid_status")
    for status in ("pending", "running", "completed", "failed", "cancelled", "awaiting_review"):
        assert f"'{status}'::text" in said
    assert said.count("'") == 2 * 6


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "constraint", "target"),
    [
        ("agent_executions", "agent_executions_user_id_fkey", "accounts_user(id)"),
        ("agent_tool_calls", "agent_tool_calls_execution_id_fkey", "agent_executions(id)"),
    ],
)
def test_the_given_references_are_there(table: str, constraint: str, target: str) -> None:
    ((said,),) = rows(CONSTRAINT, table, constraint)
    assert said.endswith(f"REFERENCES {target}")


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_models_and_tables_agree_column_by_column(model: type[models.Model]) -> None:
    table = model._meta.db_table
    in_database = {
        name: may_be_null
        for name, (_, may_be_null, _) in columns(table).items()
        if (table, name) not in NOT_IN_MODELS
    }
    in_model = {field.column: field.null for field in model._meta.concrete_fields}
    assert {name: null or generated(model, name) for name, null in in_model.items()} == in_database


def generated(model: type[models.Model], column: str) -> bool:
    """PostgreSQL lists a generated column as one that may be NULL."""
    return any(
        isinstance(field, models.GeneratedField) and field.column == column
        for field in model._meta.concrete_fields
    )


@pytest.mark.django_db
def test_django_has_no_migration_left_to_make() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("subject", "moves"),
    [("execution", EXECUTION_MOVES), ("call", CALL_MOVES), ("review", REVIEW_MOVES)],
)
def test_the_database_allows_exactly_the_moves_of_the_code(subject: str, moves: Any) -> None:
    pairs = [(subject, str(here), str(there)) for here in moves for there in moves]
    allowed = {pair: rows("SELECT agentops_may_move(%s, %s, %s)", *pair)[0][0] for pair in pairs}
    assert allowed == {(s, here, there): there in moves[here] for s, here, there in pairs}


@pytest.mark.django_db
def test_an_unknown_subject_or_status_moves_nowhere() -> None:
    assert rows("SELECT agentops_may_move('budget', 'pending', 'running')") == [(False,)]
    assert rows("SELECT agentops_may_move('call', 'paused', 'running')") == [(False,)]


INSERT = "INSERT INTO agent_executions(user_id, agent_type, input_data) VALUES (%s, %s, %s)"


@pytest.mark.django_db
def test_three_columns_are_enough_for_a_launch_by_plain_sql() -> None:
    rows(INSERT, factories.person("olga").pk, REHEARSED.name, "{}")
    found = AgentExecution.objects.get()
    assert (found.status, found.step_count, found.token_count) == ("pending", 0, 0)
    assert (found.state, found.limits, found.definition_id) == ({}, {}, None)
    assert (found.lease_token, found.open_reviews, found.wake_at) == (0, 0, None)


def test_an_execution_launched_by_plain_sql_runs_to_its_end(llm: RehearsalServer) -> None:
    said = '{"rehearse": [{"text": "all is well"}]}'
    rows(INSERT, factories.person("olga").pk, REHEARSED.name, said)
    run_until_idle(base_url=llm.base_url)
    found = AgentExecution.objects.get()
    assert (found.status, found.result) == ("completed", {"text": "all is well"})
    assert found.definition_id
    assert found.limits["max_steps"] == 25


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The alias of an empty database, gone at the test's end."""
    name = f"{connection.settings_dict['NAME']}_scratch"
    with django_db_blocker.unblock():
        rows(f"DROP DATABASE IF EXISTS {name}")
        rows(f"CREATE DATABASE {name}")
        connections.databases["scratch"] = {**connections.databases["default"], "NAME": name}
        yield "scratch"
        connections["scratch"].close()
        del connections["scratch"], connections.databases["scratch"]
        rows(f"DROP DATABASE {name}")


def test_migrations_go_back_to_nothing_and_forward_again(scratch: str) -> None:
    call_command("migrate", database=scratch, verbosity=0)
    made = sorted(rows(TRACES, using=scratch))
    assert ("agent_executions",) in made
    call_command("migrate", "executions", "zero", database=scratch, verbosity=0)
    assert rows(TRACES, using=scratch) == []
    call_command("migrate", database=scratch, verbosity=0)
    assert sorted(rows(TRACES, using=scratch)) == made


@pytest.mark.django_db
def test_a_started_call_is_tied_to_the_digest_that_people_approved() -> None:
    """The triggers look at it, too; the key is what no later trigger can forget."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conname = 'started_under_its_approved_review'"
        )
        (defined,) = cursor.fetchone()
    assert defined.count("input_digest") == 2

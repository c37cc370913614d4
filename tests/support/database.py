"""The tests' database server, and how a test that committed is cleaned up after."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from agentops.embedded_postgres import THROW_AWAY, EmbeddedPostgres
from agentops.environment import LOCAL_DIR

OF_THE_MACHINE = {"AGENTOPS_PG_BIN", "AGENTOPS_BROWSER"}
KEPT_TABLES = {
    "accounts_user",
    "agent_gated_tools",
    "auth_permission",
    "django_content_type",
    "django_migrations",
}
FEW_ROWS = 2**20  # bytes of all tables together
TABLES = """
    SELECT c.relname,
           EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
           pg_relation_size(c.oid),
           ARRAY(
               SELECT r.relname::text
               FROM pg_constraint f JOIN pg_class r ON r.oid = f.conrelid
               WHERE f.confrelid = c.oid AND f.contype = 'f'
                 AND NOT f.condeferrable AND f.conrelid <> c.oid
           )
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
"""


@cache
def embedded_server() -> EmbeddedPostgres:
    return EmbeddedPostgres(base=LOCAL_DIR / "pg-test", parameters=THROW_AWAY)


def isolate_environment() -> None:
    """Make settings read nothing of this machine's own configuration, `.env` least of all."""
    for name in list(os.environ):
        if name.startswith(("AGENTOPS_", "OPENAI_", "DJANGO_")) and name not in OF_THE_MACHINE:
            del os.environ[name]
    for name in ("EMAIL_URL", "DEBUG", "ALLOWED_HOSTS"):
        os.environ.pop(name, None)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # child processes start by the hundred
    os.environ["AGENTOPS_ENV_FILE"] = ""
    os.environ["AGENTOPS_STATIC_FILES"] = "source"
    os.environ["AGENTOPS_UNDO_S"] = "0"  # what is approved starts at once, in child processes too
    os.environ["DJANGO_SETTINGS_MODULE"] = "agentops.settings"
    os.environ["SECRET_KEY"] = "only for tests"
    if not os.environ.get("DATABASE_URL"):
        os.environ["AGENTOPS_PG_SOCKET"] = str(embedded_server().socket_folder)


def wipe() -> None:
    """Empty every table but what migrations filled.

    Append-only tables refuse this by trigger; their owner may switch the triggers off, and only a
    test ever does. Few rows are deleted: TRUNCATE makes new files for all tables and indexes, which
    takes twenty times as long, and longer each time.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # A child process that still holds a lock would hang us; better an error that says so.
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        tables = _tables(cursor)
        everything = ", ".join(_quoted(table.name) for table in tables)
        cursor.execute(f"LOCK TABLE {everything} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        if sum(table.bytes for table in tables) > FEW_ROWS:
            with _unguarded(cursor, tables):
                cursor.execute(f"TRUNCATE {everything}")
        else:
            used = [table for table in tables if table.bytes]
            with _unguarded(cursor, used):
                for table in used:
                    cursor.execute(f"DELETE FROM {_quoted(table.name)}")
        cursor.execute("DELETE FROM accounts_user WHERE username <> 'system'")


@dataclass(frozen=True)
class Table:
    """`bytes`: of its rows, deleted ones too. `referring`: tables that may refer to its rows."""

    name: str
    is_guarded: bool
    bytes: int
    referring: list[str]


def _tables(cursor: CursorWrapper) -> list[Table]:
    """Return the tables to empty, each after those that refer to it."""
    cursor.execute(TABLES)
    tables = {row[0]: Table(*row) for row in cursor.fetchall() if row[0] not in KEPT_TABLES}
    order = TopologicalSorter({name: table.referring for name, table in tables.items()})
    return [tables[name] for name in order.static_order()]


@contextmanager
def _unguarded(cursor: CursorWrapper, tables: list[Table]) -> Iterator[None]:
    names = [_quoted(table.name) for table in tables if table.is_guarded]
    for name in names:
        cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    yield
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what still waits would forbid the next
    for name in names:
        cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)

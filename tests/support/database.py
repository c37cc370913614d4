"""The tests' database server, and how a test that committed is cleaned up after."""

from __future__ import annotations

import os
from functools import cache

from django.db import connection, transaction

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
    os.environ["AGENTOPS_ENV_FILE"] = ""
    os.environ["AGENTOPS_STATIC_FILES"] = "source"
    os.environ["AGENTOPS_UNDO_S"] = "0"  # what is approved starts at once, in child processes too
    os.environ["DJANGO_SETTINGS_MODULE"] = "agentops.settings"
    os.environ["SECRET_KEY"] = "only for tests"
    if not os.environ.get("DATABASE_URL"):
        os.environ["AGENTOPS_PG_SOCKET"] = str(embedded_server().socket_folder)


def wipe() -> None:
    """Empty every table but what migrations filled.

    Append-only tables refuse TRUNCATE by trigger; their owner may switch the triggers off, and only
    a test ever does.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # A child process that still holds a lock would hang us; better an error that says so.
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        cursor.execute(
            "SELECT c.relname, EXISTS (SELECT FROM pg_trigger t"
            " WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)"
            " FROM pg_class c"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
        )
        tables = {name: guarded for name, guarded in cursor.fetchall() if name not in KEPT_TABLES}
        guarded_tables = [_quoted(name) for name, guarded in tables.items() if guarded]
        for name in guarded_tables:
            cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(map(_quoted, tables))}")
        for name in guarded_tables:
            cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")
        cursor.execute("DELETE FROM accounts_user WHERE username <> 'system'")


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)

"""Migrations' SQL lives beside them, in `migrations/sql/`, in readable files."""

from __future__ import annotations

from pathlib import Path

from django.db.migrations.operations import RunSQL

FOLDER = Path(__file__).parent / "migrations" / "sql"


def run(name: str) -> RunSQL:
    """Return the operation that runs `sql/<name>.sql`, and `sql/<name>_reverse.sql` backwards."""
    forward = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    backward = (FOLDER / f"{name}_reverse.sql").read_text(encoding="utf-8")
    return RunSQL([(forward, None)], [(backward, None)])

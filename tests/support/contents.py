"""What all the tables hold, to see that nothing was changed."""

from __future__ import annotations

from django.db import connection


def contents() -> dict[str, str]:
    """A digest of every table there is."""
    with connection.cursor() as cursor:
        found = {}
        for name in connection.introspection.table_names(cursor):
            cursor.execute(
                f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{name}\" t"
            )
            found[name] = cursor.fetchone()[0]
        return found


def changed(since: dict[str, str]) -> set[str]:
    """Return the tables that hold something else than they did."""
    now = contents()
    return {name for name in since if since[name] != now[name]}

"""Errors that PostgreSQL itself raises, planted by a trigger: so many times, then never again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

PLANT = """
CREATE SEQUENCE planted_fault;
CREATE FUNCTION planted_fault() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('planted_fault') <= {times} THEN
        RAISE EXCEPTION 'planted' USING ERRCODE = '{condition}';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER planted_fault BEFORE {event} ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION planted_fault();
"""
TAKE_AWAY = "DROP FUNCTION planted_fault() CASCADE; DROP SEQUENCE planted_fault"


@contextmanager
def planted(
    condition: str, *, on: str, times: int, event: str = "INSERT"
) -> Iterator[Callable[[], int]]:
    """Let the first `times` statements of that kind fail with `condition`; yields who tells how
    often it fired. A sequence counts: it is not rolled back with the failure.
    """
    statement = PLANT.format(condition=condition, table=on, times=times, event=event)
    with connection.cursor() as cursor:
        cursor.execute(statement)

    def fired() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM planted_fault"
            )
            return min(int(cursor.fetchone()[0]), times)

    try:
        yield fired
    finally:
        with connection.cursor() as cursor:
            cursor.execute(TAKE_AWAY)

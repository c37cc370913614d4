"""A transaction with a name, so that a test can end the world on either side of its COMMIT."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InternalError, OperationalError, connection, transaction
from psycopg.errors import IdleInTransactionSessionTimeout

from executions import faults

STILL_S = 20  # nobody waits longer for the rows of a process that froze, or was cut off


@contextmanager
def commit(at: str) -> Iterator[None]:
    """Commit everything the block does, or nothing of it.

    Whoever stands still for STILL_S between two statements loses the transaction: the rows that it
    locks would keep runners from their work. That is an OperationalError, like a lost connection.
    """
    try:
        with _bounded():
            yield
            faults.hit(f"{at}.before", connection)
    except InternalError as error:
        if isinstance(error.__cause__, IdleInTransactionSessionTimeout):
            raise OperationalError(*error.args) from error.__cause__
        raise
    faults.hit(f"{at}.after", connection)


@contextmanager
def _bounded() -> Iterator[None]:
    """A transaction that PostgreSQL ends if it does; within another that one has its own limit."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                limit_ms = int(STILL_S * 1000)
                cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = {limit_ms}")
        yield

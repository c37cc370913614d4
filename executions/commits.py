"""A transaction with a name, so that a test can end the world on either side of its COMMIT."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from executions import faults


@contextmanager
def commit(at: str) -> Iterator[None]:
    """Commit everything the block does, or nothing of it."""
    with transaction.atomic():
        yield
        faults.hit(f"{at}.before", connection)
    faults.hit(f"{at}.after", connection)

"""Meeting a busy database: a deadlock is tried again, a lock that does not come is told as such."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection
from psycopg import errors

from executions.operations.refusals import Busy

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 5
LOST_A_RACE = (errors.DeadlockDetected, errors.SerializationFailure)
NOT_IN_TIME = (errors.LockNotAvailable, errors.QueryCanceled)


def patient(operation: Callable[P, T]) -> Callable[P, T]:
    """Let an operation, which is one transaction, be done wholly however busy the database is.

    One that PostgreSQL ended to let another go on is tried again; inside a caller's transaction it
    cannot be. Raises Busy when that does not help, or a lock does not come in time.
    """

    @functools.wraps(operation)
    def persist(*args: P.args, **kwargs: P.kwargs) -> T:
        tries = 1 if connection.in_atomic_block else TRIES
        for again in range(tries):
            try:
                return operation(*args, **kwargs)
            except OperationalError as error:
                if not isinstance(error.__cause__, LOST_A_RACE + NOT_IN_TIME):
                    raise
                if isinstance(error.__cause__, NOT_IN_TIME) or again + 1 == tries:
                    raise Busy() from error
            time.sleep(random.uniform(0, 0.02 * (again + 1)))
        raise AssertionError("it returns or raises")

    return persist

"""The engine's own connections: asynchronous, outside Django's connection handling."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import psycopg
from django.db import connections
from psycopg.rows import TupleRow

from executions import faults

log = logging.getLogger(__name__)

Connection = psycopg.AsyncConnection[TupleRow]
AGAIN_S = 0.3  # before another try with a database that went away
LOST = (
    *(psycopg.OperationalError, psycopg.InterfaceError),
    psycopg.errors.ReadOnlySqlTransaction,  # what we are connected to is a copy by now
)


def is_refusal(error: psycopg.Error) -> bool:
    """Test if it is about what was asked, which is too large or too deep for PostgreSQL (class 54):
    psycopg counts it among the errors of a database that went away, and it comes each time."""
    return (error.sqlstate or "").startswith("54")


def parameters() -> dict[str, Any]:
    """Return libpq parameters of the default database."""
    given = connections["default"].get_connection_params()
    names = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "options")
    return {name: given[name] for name in names if given.get(name)}


async def connect(*, name: str) -> Connection:
    """Open an autocommit connection that shows itself as `name` in pg_stat_activity.

    Statements are prepared at once: the engine sends the same dozen for ever.
    """
    return await psycopg.AsyncConnection.connect(
        **parameters(),
        autocommit=True,
        prepare_threshold=0,
        application_name=name,
        connect_timeout=5,
        keepalives_idle=10,
    )


class Link:
    """A connection that comes back by itself, for single statements that may be repeated.

    One statement at a time: who closed it after an error would break one of another's that is
    under way, and that one in turn the next connection.
    """

    def __init__(self, *, name: str) -> None:
        self._name = name
        self._conn: Connection | None = None
        self._turn = asyncio.Lock()

    async def execute(self, statement: str, parameters: Any = None, *, at: str = "read") -> Any:
        """Run one autocommit statement; waits for a database that is away, however long.

        `at` names the commit of a statement that changes rows.
        """
        async with self._turn:
            while True:
                try:
                    conn = await self._connection()
                    faults.hit(f"{at}.before", conn)
                    cursor = await conn.execute(statement, parameters)
                    faults.hit(f"{at}.after", conn)
                    return cursor
                except LOST as error:
                    if is_refusal(error):
                        raise
                    log.warning("%s: the database went away (%s); trying again", self._name, error)
                    await self.close()
                    await asyncio.sleep(AGAIN_S)

    async def _connection(self) -> Connection:
        if self._conn is None or self._conn.closed:
            self._conn = await connect(name=self._name)
        return self._conn

    async def close(self) -> None:
        if self._conn is not None:
            await self._conn.close()
        self._conn = None

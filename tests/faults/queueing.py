"""Tickets as faults leave them: of another key, of long ago, of nobody, or no tickets at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection
from django_q import core_signing
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import PickleSerializer

from executions.engine.broker import CHANNEL, RING
from executions.engine.tickets import CLUSTER, DRIVE

HOUSEKEEPING = "executions.housekeeping.each_minute"


def package(argument: Any = None, *, age: timedelta = timedelta(), **changes: Any) -> Any:
    """Return what a ticket of ours holds."""
    started = datetime.now(UTC) - age
    ours = {"id": uuid4().hex, "name": "a-ticket", "func": DRIVE, "args": (argument,), "kwargs": {}}
    return {**ours, "started": started, **changes}


def signed(held: Any, *, key: str | None = None) -> str:
    return core_signing.dumps(
        held, key=key or Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=PickleSerializer
    )


def put(*payloads: str, queue: str = CLUSTER) -> None:
    """Put messages in the queue and ring."""
    with connection.cursor() as cursor:
        for payload in payloads:
            cursor.execute(RING, [queue, payload])
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, queue])


def waiting_tickets(queue: str = CLUSTER) -> int:
    return OrmQ.objects.filter(key=queue).count()


@contextmanager
def unheard() -> Iterator[None]:
    """What is launched here is announced by nobody: neither NOTIFY nor a ticket comes through."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agent_executions DISABLE TRIGGER notify_launch")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_q_ormq WHERE key = %s", [CLUSTER])
        cursor.execute("ALTER TABLE agent_executions ENABLE TRIGGER notify_launch")

"""A worker of the agents cluster rings at its birth, so that a runner stands in it at once."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError
from django_q.conf import Conf
from django_q.signals import post_spawn

from executions.engine import tickets

log = logging.getLogger(__name__)


def ring_at_birth(**_: Any) -> None:
    """Ring, if this is the agents cluster; an exception here would kill the worker."""
    if Conf.CLUSTER_NAME != tickets.CLUSTER:
        return
    try:
        tickets.ring_standing()
    except DatabaseError as error:
        log.warning("a new worker could not ring (%s); the schedule will", error)


def listen() -> None:
    post_spawn.connect(ring_at_birth, dispatch_uid="executions.engine.birth")

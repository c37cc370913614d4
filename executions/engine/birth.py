"""Workers ring at their birth, so that runners stand at once.

In the agents cluster each worker is to stand; in the housekeeping cluster one, as solo runner.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError
from django_q.conf import Conf
from django_q.signals import post_spawn

from executions.engine import tickets

log = logging.getLogger(__name__)


def ring_at_birth(**_: Any) -> None:
    """Ring; an exception here would kill the worker."""
    try:
        if Conf.CLUSTER_NAME == tickets.CLUSTER:
            tickets.ring_standing()
        else:
            tickets.ring_first_standing()
    except DatabaseError as error:
        log.warning("a new worker could not ring (%s); the schedule will", error)


def listen() -> None:
    post_spawn.connect(ring_at_birth, dispatch_uid="executions.engine.birth")

"""The check that is made each hour, and what it found, kept for whoever looks at the pages."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.utils import timezone

from executions.invariants.verifying import verify
from executions.models import AgentInvariantCheck

log = logging.getLogger(__name__)

LOOK_BACK_H = 24.0
KEPT = timedelta(days=30)


def check_and_record(*, hours: float | None = LOOK_BACK_H) -> AgentInvariantCheck:
    """Verify every promise and keep what was found; what is broken is logged as an error."""
    began = time.monotonic()
    broken = [one for one in verify(hours=hours) if one.violations]
    for one in broken:
        first = one.examples[0]
        log.error(
            "%s is broken (%s): %s violations; %s: %s",
            *(one.name, one.promise, one.violations, first.row, first.what),
        )
    AgentInvariantCheck.objects.filter(at__lt=timezone.now() - KEPT).delete()
    keys = ("name", "promise", "violations", "examples")
    return AgentInvariantCheck.objects.create(
        hours=hours,
        seconds=time.monotonic() - began,
        broken=len(broken),
        findings=[{key: one.facts()[key] for key in keys} for one in broken],
    )


def latest_check() -> AgentInvariantCheck | None:
    return AgentInvariantCheck.objects.order_by("-id").first()

"""Schedules are made from code only, after each migrate."""

from __future__ import annotations

from typing import Any

from django_q.models import Schedule

SCHEDULES = {"housekeeping": "executions.housekeeping.each_minute"}


def sync_schedules(using: str = "default", **_: Any) -> None:
    """Make the schedules that code names, and remove those it does not know."""
    known = Schedule.objects.using(using)
    known.exclude(name__in=SCHEDULES).delete()
    for name, function in SCHEDULES.items():
        known.get_or_create(
            name=name,
            defaults={"func": function, "schedule_type": Schedule.MINUTES, "minutes": 1},
        )

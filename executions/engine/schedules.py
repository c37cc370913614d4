"""Schedules are made from code only, after each migrate."""

from __future__ import annotations

from typing import Any

from django_q.models import Schedule

EACH_MINUTE = {"schedule_type": Schedule.MINUTES, "minutes": 1}
EACH_HOUR = {"schedule_type": Schedule.HOURLY}
SCHEDULES: dict[str, dict[str, Any]] = {
    "housekeeping": {"func": "executions.housekeeping.each_minute", **EACH_MINUTE},
    "notifications": {"func": "executions.housekeeping.notify", **EACH_MINUTE},
    "promises": {"func": "executions.housekeeping.each_hour", **EACH_HOUR},
}


def sync_schedules(using: str = "default", **_: Any) -> None:
    """Make the schedules that code names, and remove those it does not know."""
    known = Schedule.objects.using(using)
    known.exclude(name__in=SCHEDULES).delete()
    for name, columns in SCHEDULES.items():
        known.get_or_create(name=name, defaults=columns)

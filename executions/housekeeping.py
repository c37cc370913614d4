"""What the housekeeping cluster does on schedule."""

from __future__ import annotations

from executions.engine.recovery import recover
from executions.engine.seals import seal_audit
from executions.invariants.recorded import check_and_record
from executions.notifications.late import fall_due
from executions.notifications.outbox import deliver
from executions.operations.deciding import expire_overdue


def each_minute() -> dict[str, int]:
    """Recover what was lost from sight; expire what nobody decided in time."""
    return {**recover(), "expired": expire_overdue()}


def notify() -> dict[str, int]:
    """Tell people what waits, and for how long; apart from the rest, as mail servers are slow."""
    return {**fall_due(), **deliver()}


def each_hour() -> dict[str, int]:
    """Seal the audit trail, then verify the promises: the check compares with the new seal."""
    sealed = seal_audit()
    return {"seal": sealed["seal"], "broken": check_and_record().broken}

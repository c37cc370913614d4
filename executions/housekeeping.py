"""What the housekeeping cluster does on schedule."""

from __future__ import annotations

from executions.engine.recovery import recover
from executions.operations.deciding import expire_overdue


def each_minute() -> dict[str, int]:
    """Recover what was lost from sight; expire what nobody decided in time."""
    return {**recover(), "expired": expire_overdue()}

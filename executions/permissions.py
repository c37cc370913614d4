"""The Django permissions people need, by name."""

from __future__ import annotations

LAUNCH = "executions.launch_execution"
CANCEL = "executions.cancel_execution"
SWITCH = "executions.change_agentcontrol"


def approve(tool_name: str) -> str:
    """Return the permission to decide on calls of this tool."""
    return f"executions.approve_{tool_name}"

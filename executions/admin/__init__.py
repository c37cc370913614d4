"""Executions and tool calls in Unfold's admin, to read. Rows change only through operations."""

from executions.admin.execution import ExecutionAdmin
from executions.admin.tool_call import ToolCallAdmin
from executions.engine import admin_guard

__all__ = ["ExecutionAdmin", "ToolCallAdmin"]

admin_guard.unregister()

"""Filters whose choices come from the registries: a DISTINCT over ten million rows costs more
than the page."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from executions.agents import all_agents
from executions.pages.health import WINDOWS
from tools.registry import TOOLS


class AgentFilter(SimpleListFilter):
    title = "agent"
    parameter_name = "agent"

    def lookups(self, request: HttpRequest, admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(one.name, one.name) for one in all_agents()]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(agent_type=self.value()) if self.value() else rows


class FinishedFilter(SimpleListFilter):
    """The metrics page's windows, so that each of its counts opens the list it counts."""

    title = "ended in the last"
    parameter_name = "finished"

    def lookups(self, request: HttpRequest, admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(key, told) for key, (told, _) in WINDOWS.items()]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        known = WINDOWS.get(self.value() or "")
        return rows.filter(completed_at__gte=timezone.now() - known[1]) if known else rows


class ToolFilter(SimpleListFilter):
    title = "tool"
    parameter_name = "tool"

    def lookups(self, request: HttpRequest, admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(TOOLS)]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(tool_name=self.value()) if self.value() else rows

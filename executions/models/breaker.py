"""The circuit breaker of a tool that fails."""

from __future__ import annotations

from datetime import datetime

from django.db import models


class BreakerQuerySet(models.QuerySet["AgentBreaker"]):
    def open(self) -> BreakerQuerySet:
        """The tools that nothing may start, or only a probe."""
        return self.exclude(open_until=None).order_by("tool_name")


class AgentBreaker(models.Model):
    """A tool whose last outcome was a failure; `open_until` is set while nothing may start.

    Written by the engine only; people may lift it. A switch that a person pulled is an
    AgentControl; pages show both as one list.
    """

    state, scope, by = "shut", "tool", "its circuit breaker"

    tool_name = models.TextField(primary_key=True)
    failures = models.IntegerField(db_default=1)
    last_error = models.TextField(db_default="")
    opened_at = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)
    probe_call = models.UUIDField(null=True)

    objects = BreakerQuerySet.as_manager()

    class Meta:
        db_table = "agent_breakers"
        verbose_name = "circuit breaker"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.tool_name}: {self.failures} failures in a row"

    @property
    def key(self) -> str:
        return self.tool_name

    @property
    def place(self) -> str:
        return f"the tool {self.tool_name}"

    @property
    def changed_at(self) -> datetime | None:
        return self.opened_at

    @property
    def reason(self) -> str:
        return f"It failed {self.failures} times in a row, at last with: {self.last_error}"

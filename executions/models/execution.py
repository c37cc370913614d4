"""Executions and the definitions they run by."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from executions.core.states import FINAL, ExecutionStatus
from executions.models.fields import Now, choices, uuid_key


class AgentDefinition(models.Model):
    """Instructions, tools and limits as they were at launch; shared by equal launches."""

    sha256 = models.TextField(primary_key=True)
    agent_type = models.TextField()
    body = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "agent_definitions"

    def __str__(self) -> str:
        return f"{self.agent_type} {self.sha256[:12]}"


class ExecutionQuerySet(models.QuerySet["AgentExecution"]):
    def unfinished(self) -> ExecutionQuerySet:
        return self.exclude(status__in=FINAL)

    def finished(self) -> ExecutionQuerySet:
        return self.filter(status__in=FINAL)

    def newest_first(self) -> ExecutionQuerySet:
        return self.order_by("-created_at", "-id")

    def without_payloads(self) -> ExecutionQuerySet:
        """Leave the large columns in the database; lists never show them."""
        return self.defer("input_data", "state", "result", "limits")


class AgentExecution(models.Model):
    """One row of `agent_executions`. Read here; changed only by the engine and operations."""

    id = uuid_key()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="executions"
    )
    agent_type = models.TextField()
    status = models.TextField(
        choices=choices(ExecutionStatus), db_default=ExecutionStatus.PENDING.value
    )
    input_data = models.JSONField()
    state = models.JSONField(db_default={})
    result = models.JSONField(null=True)
    error = models.TextField(null=True)  # noqa: DJ001 - the given schema has NULL
    step_count = models.IntegerField(db_default=0)
    token_count = models.IntegerField(db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True)

    stop_reason = models.TextField(null=True)  # noqa: DJ001
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, null=True, db_default=0)
    active_ms = models.BigIntegerField(db_default=0)
    limits = models.JSONField(db_default={})
    definition = models.ForeignKey(AgentDefinition, on_delete=models.PROTECT, null=True)
    lease_owner = models.UUIDField(null=True)
    lease_token = models.BigIntegerField(db_default=0)
    attempts = models.IntegerField(db_default=0)
    open_reviews = models.IntegerField(db_default=0)
    wake_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    idempotency_key = models.TextField(null=True)  # noqa: DJ001 - NULL: launched without one
    launched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_column="launched_by",
        related_name="launched_executions",
    )
    retry_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, db_column="retry_of", related_name="retries"
    )
    priority = models.IntegerField(db_default=0)
    legal_hold = models.BooleanField(db_default=False)
    row_format = models.IntegerField(db_default=1)

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        db_table = "agent_executions"
        verbose_name = "execution"
        default_permissions = ("view",)
        permissions = (
            ("launch_execution", "Can launch executions"),
            ("cancel_execution", "Can cancel executions"),
        )

    def __str__(self) -> str:
        return f"{self.agent_type} {str(self.pk)[:8]}"

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def waits_because(self) -> str:
        """Why a pending execution waits for its `wake_at`; empty when nobody said."""
        if self.status != ExecutionStatus.PENDING or self.wake_at is None:
            return ""
        return str(self.state.get("waiting", "")) if isinstance(self.state, dict) else ""

    def facts(self) -> dict[str, Any]:
        """Return what commands print of it, JSON-able."""
        return {
            "id": str(self.pk),
            "agent": self.agent_type,
            "status": self.status,
            "stop_reason": self.stop_reason,
            "error": self.error,
            "steps": self.step_count,
            "tokens": self.token_count,
            "cost_usd": None if self.cost_usd is None else str(self.cost_usd),
            "active_ms": self.active_ms,
            "open_reviews": self.open_reviews,
            "created_at": self.created_at.isoformat(),
            "completed_at": self.completed_at.isoformat() if self.completed_at else None,
            "result": self.result,
        }

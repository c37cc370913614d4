"""Runners, switches, budgets and the audit trail."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from executions.models.execution import AgentExecution
from executions.models.fields import Now, labels, uuid_key


class AgentRunner(models.Model):
    """A runner and its lease: all it drives is its own while `lease_until` is ahead."""

    id = uuid_key()
    lock_key = models.BigIntegerField(editable=False)
    host = models.TextField()
    pid = models.IntegerField()
    capacity = models.IntegerField()
    is_solo = models.BooleanField(db_default=False)
    version = models.TextField(db_default="")
    in_flight = models.IntegerField(db_default=0)
    is_draining = models.BooleanField(db_default=False)
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField()
    dead_at = models.DateTimeField(null=True)
    last_batch = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "agent_runners"
        verbose_name = "runner"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


SCOPES = ("all", "agent", "tool")  # what the start of a call heeds


class ControlQuerySet(models.QuerySet["AgentControl"]):
    def off(self) -> ControlQuerySet:
        """What is switched off now, the widest first."""
        off = self.exclude(state="on").filter(scope__in=SCOPES)
        return off.select_related("changed_by").order_by("scope", "key")

    def over(self, agent_type: str) -> AgentControl | None:
        """Return the switch by which this agent's executions may not go on, if any."""
        place = models.Q(scope="all") | models.Q(scope="agent", key=agent_type)
        return self.off().filter(place).last()


class AgentControl(models.Model):
    """A switch over everything, one agent or one tool. Plain SQL may write one over a customer,
    too, which no start heeds: no page tells that it holds anything back."""

    pk = models.CompositePrimaryKey("scope", "key")
    scope = models.TextField(choices=labels(("all", "agent", "tool", "customer")))
    key = models.TextField(db_default="")
    state = models.TextField(choices=labels(("on", "paused", "killed")))
    reason = models.TextField(db_default="")
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, db_column="changed_by"
    )
    changed_at = models.DateTimeField(db_default=Now())

    objects = ControlQuerySet.as_manager()

    class Meta:
        db_table = "agent_controls"
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        """For example: the agent steward is paused by olga since 2026-01-02 03:04 UTC: why."""
        since = f"{self.changed_at:%Y-%m-%d %H:%M} UTC"
        return f"{self.place} is {self.state} by {self.by} since {since}: {self.reason}"

    @property
    def place(self) -> str:
        """What it switches, in words."""
        return "everything" if self.scope == "all" else f"the {self.scope} {self.key}"

    @property
    def by(self) -> str:
        return str(self.changed_by or "the system")


class AgentBudget(models.Model):
    """A ceiling over many executions in one period; reserved before, settled after."""

    id = uuid_key()
    scope = models.TextField(choices=labels(("all", "agent", "user", "customer")))
    key = models.TextField(db_default="")
    period_from = models.DateTimeField()
    period_to = models.DateTimeField()
    limit_usd = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    limit_tokens = models.BigIntegerField(null=True)
    reserved_usd = models.DecimalField(max_digits=14, decimal_places=6, db_default=0)
    spent_usd = models.DecimalField(max_digits=14, decimal_places=6, db_default=0)
    reserved_tokens = models.BigIntegerField(db_default=0)
    spent_tokens = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "agent_budgets"

    def __str__(self) -> str:
        return f"{self.scope} {self.key} from {self.period_from:%Y-%m-%d}"


class AgentAudit(models.Model):
    """One link of an execution's audit chain; written by triggers only."""

    pk = models.CompositePrimaryKey("execution_id", "seq")
    execution = models.ForeignKey(AgentExecution, on_delete=models.PROTECT, related_name="audit")
    seq = models.IntegerField()
    at = models.DateTimeField()
    event = models.TextField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)
    detail = models.JSONField()
    prev_hash = models.TextField()
    hash = models.TextField()

    class Meta:
        db_table = "agent_audit"
        verbose_name = "audit event"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.seq} {self.event}"

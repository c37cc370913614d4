"""Seals over the audit trail, and what the hourly check of the promises found."""

from __future__ import annotations

from django.db import models

from executions.models.fields import Now


class AgentAuditSeal(models.Model):
    """One hash over the heads of all chains at one moment, chained to the seal before."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    executions = models.BigIntegerField()
    events = models.BigIntegerField()
    heads_hash = models.TextField()
    prev_hash = models.TextField()

    class Meta:
        db_table = "agent_audit_seals"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"seal {self.pk}"


class AgentAuditSealed(models.Model):
    """The head that one seal covers of one chain that had moved; written by the seal's function."""

    pk = models.CompositePrimaryKey("execution_id", "seal_id")
    execution_id = models.UUIDField()
    seal = models.ForeignKey(AgentAuditSeal, on_delete=models.PROTECT, related_name="heads")
    seq = models.IntegerField()
    hash = models.TextField()

    class Meta:
        db_table = "agent_audit_sealed"
        default_permissions = ()

    def __str__(self) -> str:
        return f"event {self.seq} of {self.execution_id}"


class AgentInvariantCheck(models.Model):
    """One run of the checker. `hours`: how far back it looked at what had ended; None: ever.

    `findings`: per broken invariant its `name`, `promise`, `violations` and some `examples`.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    hours = models.FloatField(null=True)
    seconds = models.FloatField()
    broken = models.IntegerField()
    findings = models.JSONField(db_default=[])

    class Meta:
        db_table = "agent_invariant_checks"
        verbose_name = "check of the promises"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"check at {self.at:%Y-%m-%d %H:%M}"

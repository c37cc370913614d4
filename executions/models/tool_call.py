"""Tool calls: the log of everything an agent asked for and what became of it."""

from __future__ import annotations

from django.db import models

from executions.core.states import CallStatus
from executions.models.execution import AgentExecution
from executions.models.fields import Now, choices, labels, uuid_key

EFFECTS = ("read", "transactional", "idempotent", "once")


class AgentToolCall(models.Model):
    """One row of `agent_tool_calls`. `proposed_input` is what the LLM asked for, verbatim;
    `tool_input` is what runs. They differ only after a person's edit."""

    id = uuid_key()
    execution = models.ForeignKey(
        AgentExecution, on_delete=models.PROTECT, related_name="tool_calls"
    )
    step_number = models.IntegerField()
    tool_name = models.TextField()
    tool_input = models.JSONField()
    tool_output = models.JSONField(null=True)
    status = models.TextField(choices=choices(CallStatus), db_default=CallStatus.PENDING.value)
    latency_ms = models.IntegerField(null=True)
    error = models.TextField(null=True)  # noqa: DJ001 - the given schema has NULL
    called_at = models.DateTimeField(db_default=Now())

    call_index = models.IntegerField(db_default=0)
    provider_call_id = models.TextField(db_default="")
    effect = models.TextField(choices=labels(EFFECTS), db_default="once")
    gated = models.BooleanField(db_default=False)
    proposed_input = models.JSONField(null=True)
    input_digest = models.GeneratedField(
        expression=models.Func("tool_input", function="agentops_digest"),
        output_field=models.TextField(),
        db_persist=True,
    )
    idempotency_key = models.TextField(null=True, unique=True)  # noqa: DJ001
    review_id = models.UUIDField(null=True)
    target_version = models.TextField(null=True)  # noqa: DJ001
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "agent_tool_calls"
        verbose_name = "tool call"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.tool_name} {str(self.pk)[:8]}"

"""Steps: one LLM request and its decision each."""

from __future__ import annotations

from django.db import models

from executions.models.execution import AgentExecution
from executions.models.fields import Now


class AgentStep(models.Model):
    """One row of `agent_steps`; append-only.

    `response` is `{"text", "calls": [{"id", "name", "arguments"}], "reasoning", "refusal"}`.
    `tries` lists every LLM request made for this step, the failed ones too.
    """

    pk = models.CompositePrimaryKey("execution_id", "step_number")
    execution = models.ForeignKey(AgentExecution, on_delete=models.PROTECT, related_name="steps")
    step_number = models.IntegerField()
    llm = models.TextField()
    request_digest = models.TextField()
    response = models.JSONField()
    finish_reason = models.TextField()
    problem = models.TextField(null=True)  # noqa: DJ001 - NULL: the reply was usable
    input_tokens = models.IntegerField(db_default=0)
    cached_tokens = models.IntegerField(db_default=0)
    output_tokens = models.IntegerField(db_default=0)
    reasoning_tokens = models.IntegerField(db_default=0)
    total_tokens = models.IntegerField(db_default=0)
    usage_estimated = models.BooleanField(db_default=False)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    latency_ms = models.IntegerField()
    tries = models.JSONField(db_default=[])
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "agent_steps"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"step {self.step_number}"

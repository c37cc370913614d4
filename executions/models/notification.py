"""The outbox: what people, and a webhook, are told of which review."""

from __future__ import annotations

from django.db import models

from executions.models.fields import Now, labels, uuid_key
from executions.models.review import AgentReview

OPENED, REMINDED, ESCALATED, CLOSED = "opened", "reminded", "escalated", "closed"
STAGES = (OPENED, REMINDED, ESCALATED, CLOSED)


class AgentNotification(models.Model):
    """One per review and stage; the database makes the one of its opening with it.

    `told` holds ids of people written to; `due_at` is when the next try is due, `closed_at` when
    nobody had to be told any more. `at_percent` of its time had passed when a reminder fell due.
    """

    id = uuid_key()
    review = models.ForeignKey(AgentReview, on_delete=models.CASCADE, related_name="notifications")
    stage = models.TextField(choices=labels(STAGES), db_default=OPENED)
    at_percent = models.IntegerField(db_default=0)
    is_urgent = models.BooleanField()
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.IntegerField(db_default=0)
    told = models.JSONField(db_default=models.Value([], models.JSONField()))
    error = models.TextField(null=True)  # noqa: DJ001
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "agent_notifications"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.stage} of review {str(self.review_id)[:8]}"

    def tell(self, who: str) -> None:
        """Write down that `who` was told, beside what others write down meanwhile."""
        self.told.append(who)
        added = models.Value([who], models.JSONField())
        joined = models.Func(
            models.F("told"), added, template="(%(expressions)s)", arg_joiner=" || ",
            output_field=models.JSONField(),
        )  # fmt: skip
        type(self).objects.filter(pk=self.pk).update(told=joined)

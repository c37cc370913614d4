"""The outbox: which reviews their reviewers have been told about."""

from __future__ import annotations

from django.db import models

from executions.models.fields import Now, uuid_key
from executions.models.review import AgentReview


class AgentNotification(models.Model):
    """One per review, made by the database with it. `told` holds ids of people written to;
    `due_at` is when the next try is due, `closed_at` when nobody had to be told any more."""

    id = uuid_key()
    review = models.OneToOneField(
        AgentReview, on_delete=models.CASCADE, related_name="notification"
    )
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
        return f"notification of review {str(self.review_id)[:8]}"

    def tell(self, who: str) -> None:
        """Write down that `who` was told, beside what others write down meanwhile."""
        self.told.append(who)
        added = models.Value([who], models.JSONField())
        joined = models.Func(
            models.F("told"), added, template="(%(expressions)s)", arg_joiner=" || ",
            output_field=models.JSONField(),
        )  # fmt: skip
        type(self).objects.filter(pk=self.pk).update(told=joined)

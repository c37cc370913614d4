"""Reviews and votes: gated calls put before people, and what each person said."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from executions.core.states import ReviewKind, ReviewStatus
from executions.models.execution import AgentExecution
from executions.models.fields import Now, choices, labels, uuid_key
from executions.models.tool_call import AgentToolCall

VOTES = ("approve", "reject", "ask", "happened", "drop")
RISKS = ("low", "medium", "high")


class ReviewQuerySet(models.QuerySet["AgentReview"]):
    def open(self) -> ReviewQuerySet:
        return self.filter(status=ReviewStatus.OPEN)

    def most_urgent_first(self) -> ReviewQuerySet:
        return self.order_by(models.F("expires_at").asc(nulls_last=True), "created_at")


class AgentReview(models.Model):
    """One version of one call's review; an edit makes a new row with the next version.

    `edited_input` holds the arguments of a version that a person edited; those of the others are
    what the LLM proposed. A claim counts while the review is open and `claimed_until` is ahead.
    `customer_id` is of the customer the call is about, where its tool knows one.
    """

    id = uuid_key()
    call = models.ForeignKey(AgentToolCall, on_delete=models.PROTECT, related_name="reviews")
    execution = models.ForeignKey(AgentExecution, on_delete=models.PROTECT, related_name="reviews")
    tool_name = models.TextField()
    input_digest = models.TextField()
    kind = models.TextField(choices=choices(ReviewKind), db_default=ReviewKind.APPROVAL.value)
    status = models.TextField(choices=choices(ReviewStatus), db_default=ReviewStatus.OPEN.value)
    version = models.IntegerField(db_default=1)
    required_votes = models.IntegerField(db_default=1)
    reason = models.TextField(db_default="")
    risk = models.TextField(choices=labels(RISKS), db_default="high")
    target_version = models.TextField(null=True)  # noqa: DJ001
    expires_at = models.DateTimeField(null=True)
    effective_at = models.DateTimeField(null=True)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_column="edited_by",
        related_name="edited_reviews",
    )
    edited_input = models.JSONField(null=True)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_column="claimed_by",
        related_name="claimed_reviews",
    )
    claimed_until = models.DateTimeField(null=True)
    customer_id = models.TextField(null=True)  # noqa: DJ001
    created_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        db_table = "agent_reviews"
        verbose_name = "review"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.kind} of {self.tool_name} {str(self.pk)[:8]}"


class AgentReviewClaim(models.Model):
    """That a person said to be on a review; `taken_from` is who was until then, `reason` why."""

    id = uuid_key()
    review = models.ForeignKey(AgentReview, on_delete=models.PROTECT, related_name="claims")
    execution = models.ForeignKey(AgentExecution, on_delete=models.PROTECT, related_name="claims")
    claimant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="claims"
    )
    taken_from = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_column="taken_from",
        related_name="lost_claims",
    )
    reason = models.TextField(db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "agent_review_claims"
        verbose_name = "claim"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.claimant} on review {str(self.review_id)[:8]}"


class StandingVotes(models.Manager["AgentReviewVote"]):
    """The votes that count: not those that were withdrawn."""

    def get_queryset(self) -> models.QuerySet[AgentReviewVote]:
        return super().get_queryset().filter(withdrawn_at=None)


class AgentReviewVote(models.Model):
    """What one person said of one version. `input_digest` is of the arguments they saw,
    `tool_version` the fingerprint of the tool they saw them of.

    Since `withdrawn_at` it counts no more: `objects`, and with it `review.votes`, leaves it out,
    and only `every` has it.
    """

    id = uuid_key()
    review = models.ForeignKey(AgentReview, on_delete=models.PROTECT, related_name="votes")
    voter = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="votes"
    )
    vote = models.TextField(choices=labels(VOTES))
    reason = models.TextField(db_default="")
    input_digest = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    tool_version = models.TextField(null=True)  # noqa: DJ001
    withdrawn_at = models.DateTimeField(null=True)

    objects = StandingVotes()
    every = models.Manager["AgentReviewVote"]()

    class Meta:
        db_table = "agent_review_votes"
        verbose_name = "vote"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.voter} {self.vote}"


class AgentGatedTool(models.Model):
    """A tool that always needs people; the database forces the gate for it."""

    tool_name = models.TextField(primary_key=True)
    least_votes = models.IntegerField(db_default=1)

    class Meta:
        db_table = "agent_gated_tools"
        default_permissions = ()

    def __str__(self) -> str:
        return self.tool_name

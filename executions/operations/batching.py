"""Approve several alike calls together: each by itself, with a result for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from agentops.accounts.models import User
from executions.core.states import ReviewKind
from executions.models import AgentReview
from executions.models.review import ReviewQuerySet
from executions.operations.deciding import decide
from executions.operations.refusals import AlreadyDecided, NotFound, Refusal

AT_MOST = 50
ALIKE = Q(risk="low", required_votes=1, kind=ReviewKind.APPROVAL.value)
"""What may be decided together: nothing risky, and nothing that needs two people."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one review: approved, or why it was not."""

    review_id: UUID
    is_approved: bool
    told: str


def approvable_together(person: User) -> ReviewQuerySet:
    """Return the open reviews of that kind that this person neither launched nor edited.

    Which tools the person decides on is the caller's to filter.
    """
    launcher = Coalesce(F("execution__launched_by"), F("execution__user"))
    found = AgentReview.objects.open().filter(ALIKE).exclude(expires_at__lte=Now())
    return (
        found.annotate(launcher=launcher)
        .exclude(launcher=person.pk)
        .exclude(call__reviews__edited_by=person)
        .exclude(votes__voter=person)
    )


def approve_together(
    *, tool_name: str, person: User, seen: Sequence[tuple[UUID, str]]
) -> list[Result]:
    """Approve each of these reviews of one tool that still is as it was seen.

    `seen` are review ids with the digests of the arguments that were shown. Each is a transaction
    of its own, so that one that went stale holds nobody else up. Raises Refusal for too many.
    """
    if len(seen) > AT_MOST:
        raise Refusal(f"At most {AT_MOST} at once; nothing was approved.")
    return [
        _result(tool_name, person, review_id, digest) for review_id, digest in dict(seen).items()
    ]


def _result(tool_name: str, person: User, review_id: UUID, digest: str) -> Result:
    try:
        _check_alike(tool_name, review_id)
        decide(review_id=review_id, person=person, approve=True, seen_digest=digest)
    except AlreadyDecided as error:
        mine = AgentReview.objects.filter(
            pk=review_id, votes__voter=person, votes__vote="approve", votes__input_digest=digest
        )
        told = "Approved by you already; it counts once." if mine.exists() else str(error)
        return Result(review_id=review_id, is_approved=mine.exists(), told=told)
    except Refusal as error:
        return Result(review_id=review_id, is_approved=False, told=str(error))
    return Result(review_id=review_id, is_approved=True, told="Approved.")


def _check_alike(tool_name: str, review_id: UUID) -> None:
    review = AgentReview.objects.filter(pk=review_id)
    if not review.exists():
        raise NotFound("There is no such review.")
    if not review.filter(ALIKE, tool_name=tool_name).exists():
        raise Refusal("Only calls of one tool, of low risk and with a single vote, go together.")

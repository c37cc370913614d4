"""The order in which reviews wait: what is in doubt, then by due time, then risk, then age.

No two reviews have the same place, so that a list can be continued after any of them, also after
one that has been decided meanwhile.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce

from executions.core.states import ReviewKind
from executions.models import AgentReview
from executions.models.review import ReviewQuerySet

IN_WORDS = "First what is in doubt, then the soonest due, then the riskiest, then the oldest."

_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)
_PLACE = {
    "place_doubt": Case(
        When(kind=ReviewKind.DOUBT, then=0), default=1, output_field=IntegerField()
    ),
    "place_due": Coalesce("expires_at", Value(_LAST_DAY)),
    "place_risk": Case(
        When(risk="high", then=0),
        When(risk="medium", then=1),
        default=2,
        output_field=IntegerField(),
    ),
}
_KEYS = (*_PLACE, "created_at", "pk")


def most_urgent_first(reviews: ReviewQuerySet) -> ReviewQuerySet:
    return reviews.annotate(**_PLACE).order_by(*_KEYS)


def following(reviews: ReviewQuerySet, last: AgentReview) -> ReviewQuerySet:
    """Return those of `reviews` that come after `last`, which need not be one of them, in order."""
    later, equal = Q(), Q()
    for name, value in zip(_KEYS, _place(last), strict=True):
        later |= equal & Q(**{f"{name}__gt": value})
        equal &= Q(**{name: value})
    return most_urgent_first(reviews).filter(later)


def _place(review: AgentReview) -> tuple[Any, ...]:
    """Return where a review stands, by _KEYS, without asking the database."""
    return (
        0 if review.kind == ReviewKind.DOUBT else 1,
        review.expires_at or _LAST_DAY,
        {"high": 0, "medium": 1}.get(review.risk, 2),
        review.created_at,
        review.pk,
    )

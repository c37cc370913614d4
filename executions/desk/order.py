"""The order in which reviews wait: what is in doubt, then by due time, then risk, then age.

No two reviews have the same place, so that a list can be continued after any of them, also after
one that has been decided meanwhile.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Case, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce

from executions.core.states import ReviewKind
from executions.models import AgentReview
from executions.models.review import ReviewQuerySet

IN_WORDS = "First what is in doubt, then the soonest due, then the riskiest, then the oldest."

_NEVER = Value(datetime(9999, 12, 31, tzinfo=UTC))
_PLACE = {
    "place_doubt": Case(
        When(kind=ReviewKind.DOUBT, then=0), default=1, output_field=IntegerField()
    ),
    "place_due": Coalesce("expires_at", _NEVER),
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
    place = AgentReview.objects.filter(pk=last.pk).annotate(**_PLACE).values_list(*_KEYS).get()
    later, equal = Q(), Q()
    for name, value in zip(_KEYS, place, strict=True):
        later |= equal & Q(**{f"{name}__gt": value})
        equal &= Q(**{name: value})
    return most_urgent_first(reviews).filter(later)

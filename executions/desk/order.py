"""The order in which reviews wait: what is in doubt, then by the group of the list they stand in
(overdue, due within the hour, within a day, later, whenever), then risk, due time, age.

In each group risk counts before the minute at which something is due, since no two are due at the
same one. No two reviews have the same place at one moment, so that a list can be continued after
any of them, also after one that has been decided meanwhile.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Case, Expression, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce

from executions.core.states import ReviewKind
from executions.models import AgentReview
from executions.models.review import ReviewQuerySet

IN_WORDS = (
    "First what is in doubt, then by when it is due; of what is due about as soon, first the"
    " riskiest, then the soonest due."
)

SPANS = (timedelta(0), timedelta(hours=1), timedelta(days=1))
"""Within what time something is due, group by group; two more come after them: what is due later,
and what is due at no time."""

_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)
_RISKS = {"high": 0, "medium": 1}
_KEYS = ("place_doubt", "place_group", "place_risk", "place_due", "created_at", "pk")


def most_urgent_first(reviews: ReviewQuerySet, now: datetime) -> ReviewQuerySet:
    """Return `reviews` in the order that holds at this moment."""
    return reviews.annotate(**_places(now)).order_by(*_KEYS)


def following(reviews: ReviewQuerySet, last: AgentReview, now: datetime) -> ReviewQuerySet:
    """Return those of `reviews` that come after `last`, which need not be one of them, in order."""
    later = Q()
    for name, value in reversed(list(zip(_KEYS, _place(last, now), strict=True))):
        later = Q(**{f"{name}__gt": value}) | (Q(**{name: value}) & later if later else Q())
    return most_urgent_first(reviews, now).filter(later)


def _places(now: datetime) -> dict[str, Expression]:
    groups = [When(expires_at__lte=now + span, then=nth) for nth, span in enumerate(SPANS)]
    groups.append(When(expires_at__isnull=False, then=len(SPANS)))
    risks = [When(risk=risk, then=nth) for risk, nth in _RISKS.items()]
    return {
        "place_doubt": _first([When(kind=ReviewKind.DOUBT, then=0)]),
        "place_group": _first(groups),
        "place_risk": _first(risks),
        "place_due": Coalesce("expires_at", Value(_LAST_DAY)),
    }


def _first(whens: list[When]) -> Case:
    """Return the number of the first that holds; one that is higher than all if none does."""
    return Case(*whens, default=len(whens), output_field=IntegerField())


def _place(review: AgentReview, now: datetime) -> tuple[Any, ...]:
    """Return where a review stands, by _KEYS, without asking the database."""
    due = review.expires_at
    within = (nth for nth, span in enumerate(SPANS) if due and due <= now + span)
    return (
        0 if review.kind == ReviewKind.DOUBT else 1,
        next(within, len(SPANS) if due else len(SPANS) + 1),
        _RISKS.get(review.risk, len(_RISKS)),
        due or _LAST_DAY,
        review.created_at,
        review.pk,
    )

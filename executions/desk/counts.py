"""The numbers around the list: every one is the count of the list behind its link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Q

from agentops.accounts.models import User
from executions.core.states import ReviewKind
from executions.desk.filters import Filters
from executions.desk.order import SPANS
from executions.models import AgentReview
from executions.models.review import ReviewQuerySet

JUST_NOW = timedelta(seconds=10)
"""A review committed later than others that began after it does so within this time."""

_TABS: dict[str, dict[str, str]] = {
    "All": {},
    "Mine": {"who": "mine"},
    "Unclaimed": {"who": "unclaimed"},
    "Needs second vote": {"votes": "second"},
    "In doubt": {"kind": "doubt"},
    "Overdue": {"due": "overdue"},
}

DOUBT = "In doubt: find out what happened"
_APPROVAL = ~Q(kind=ReviewKind.DOUBT)
_UNTIL = dict(  # by when what is not in doubt is due, in the order of the list
    zip(
        ("Overdue", "Due within the hour", "Due within a day", "Due later"),
        (*SPANS, timedelta.max),
        strict=True,
    )
)
UNLIMITED = "Without a due time"


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A view of the list: `count` is how many reviews it lists, with the other filters as now."""

    label: str
    query: str
    count: int
    is_here: bool


@dataclass(frozen=True, kw_only=True)
class Counts:
    """`here`: how many reviews fit the filters; `groups`: those of each title. `new`: ids of those
    that came within JUST_NOW."""

    here: int
    tabs: list[Tab]
    groups: dict[str, int]
    new: list[str]

    @property
    def urgent(self) -> list[tuple[str, int, str]]:
        """Return what there is to hurry for: the words, how many, the tone."""
        told = (
            ("overdue", "Overdue", "bad"),
            ("due within the hour", "Due within the hour", "warn"),
        )
        return [
            (said, self.groups[title], tone) for said, title, tone in told if self.groups[title]
        ]


def group_of(review: AgentReview, now: datetime) -> str:
    """Return the title under which the review stands in the list."""
    if review.kind == ReviewKind.DOUBT:
        return DOUBT
    if review.expires_at is None:
        return UNLIMITED
    return next(title for title, span in _UNTIL.items() if _is_due(review.expires_at, now, span))


def _is_due(at: datetime, now: datetime, span: timedelta) -> bool:
    return span == timedelta.max or at <= now + span


def counted(waiting: ReviewQuerySet, filters: Filters, person: User, now: datetime) -> Counts:
    """Count what waits, by one statement."""
    chosen = filters.view().condition(person)
    tabs = {label: filters.but(**value) for label, value in _TABS.items()} | {
        "All": filters.plain()
    }
    groups = _groups(now)
    conditions = [
        chosen,
        *(one.view().condition(person) for one in tabs.values()),
        *(chosen & is_in for is_in in groups.values()),
    ]
    numbers = (
        filters.plain()
        .narrow(waiting, person)
        .aggregate(
            new=ArrayAgg("pk", filter=chosen & Q(created_at__gt=now - JUST_NOW), default=[]),
            **{f"n{place}": _number(one) for place, one in enumerate(conditions)},
        )
    )
    here, *rest = (numbers[f"n{place}"] for place in range(len(conditions)))
    return Counts(
        here=here,
        tabs=[
            Tab(label=label, query=one.query, count=count, is_here=_is_chosen(label, filters))
            for (label, one), count in zip(tabs.items(), rest, strict=False)
        ],
        groups=dict(zip(groups, rest[len(tabs) :], strict=True)),
        new=[str(one) for one in numbers["new"]],
    )


def _number(condition: Q) -> Any:
    return Count("pk", filter=condition) if condition else Count("pk")


def _is_chosen(label: str, filters: Filters) -> bool:
    view = filters.view().given()
    return _TABS[label].items() <= view.items() if _TABS[label] else not view


def _groups(now: datetime) -> dict[str, Q]:
    """Return which reviews stand under which title."""
    found, earlier = {DOUBT: Q(kind=ReviewKind.DOUBT)}, Q()
    for title, span in _UNTIL.items():
        due = Q(expires_at__isnull=False)
        if span != timedelta.max:
            due = Q(expires_at__lte=now + span)
        found[title] = _APPROVAL & due & earlier
        earlier = Q(expires_at__gt=now + span) if span != timedelta.max else earlier
    return {**found, UNLIMITED: _APPROVAL & Q(expires_at=None)}

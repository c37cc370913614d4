"""The list of open reviews a person may decide: narrowed, in order, so many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Count, Func, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from agentops.accounts.models import User
from executions.core.states import ExecutionStatus, ReviewKind
from executions.desk.counts import Counts, counted, group_of
from executions.desk.filters import FREE, Filters
from executions.desk.lateness import with_lateness
from executions.desk.order import following, most_urgent_first
from executions.desk.presence import OnIt, lost, on_it
from executions.desk.row_chips import RowChip, row_chips
from executions.models import (
    AgentExecution,
    AgentReview,
    AgentReviewClaim,
    AgentReviewVote,
)
from executions.models.review import ReviewQuerySet
from executions.operations.batching import approvable_together
from executions.pages.rights import decidable_tools
from executions.pages.waiting import voted_by, waiting_for
from executions.pages.wording import action
from executions.templatetags import words
from tools.models import Customer

SHOWN = 100
"""So many reviews stand on one page."""

LATE = 0.75
"""From this share of its time on a review is shown as nearly due."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One review in the list. `approvals`: votes for it so far. `lost_to`: who took it over.
    `chips`: what its tool wants looked at."""

    review: AgentReview
    headline: str
    customer: str
    approvals: int
    launched_by_me: bool
    edited_by_me: bool
    group: str
    due: str
    tone: str
    on_it: OnIt | None
    lost_to: AgentReviewClaim | None
    chips: list[RowChip]


@dataclass(frozen=True, kw_only=True)
class Group:
    """`count` is of all that belong here, `tasks` are those on this page."""

    title: str
    count: int
    tasks: list[Task]


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What waits for a person.

    `total` is of all of it, `counts` of what fits the filters; `first` is the place in that of the
    first one here, and `after` the id after which the next page begins, in the order that held
    `at` that moment. `voted` wait for others.
    `alike`: tools with how many of their calls may be decided together, two at least.
    """

    total: int
    counts: Counts
    groups: list[Group]
    first: int
    after: UUID | None
    at: datetime
    voted: list[Task]
    voted_count: int
    alike: list[tuple[str, int]]
    agents: list[str]
    customers: dict[str, str]
    read_at: datetime
    start: Task | None

    @property
    def shown(self) -> int:
        return sum(len(group.tasks) for group in self.groups)

    @property
    def last(self) -> int:
        return self.first + self.shown - 1

    @property
    def next_count(self) -> int:
        """How many stand on the next page."""
        return min(SHOWN, self.counts.here - self.last)


def queue_of(
    person: User,
    filters: Filters,
    *,
    after: AgentReview | None = None,
    at: datetime | None = None,
) -> Queue:
    """Read the person's list, from behind `after` on, in the order and the groups that held `at`
    the moment when its first page was read, so that none is left out because an hour began.
    `start`: the first that nobody else is on."""
    now = timezone.now()
    at = at or now
    waiting = waiting_for(person)
    counts = counted(waiting, filters, person, at)
    fitting = filters.narrow(waiting, person)
    rest = following(fitting, after, at) if after else most_urgent_first(fitting, at)
    agents, customers = _choices(waiting)
    voted_too = [] if after else [most_urgent_first(voted_by(person), at)]
    lists = _tasks([rest, *voted_too], person, now, customers, at=at)
    here, more = lists[0][:SHOWN], lists[0][SHOWN:]
    voted = [] if after else lists[1]
    return Queue(
        total=waiting.count() if filters.plain().given() else counts.tabs[0].count,
        counts=counts,
        groups=[
            Group(title=title, count=counts.groups[title], tasks=list(found))
            for title, found in groupby(here, key=lambda task: task.group)
        ],
        first=1 + (counts.here - rest.count() if after else 0),
        after=here[-1].review.pk if more else None,
        at=at,
        voted=voted[:SHOWN],
        voted_count=len(voted) if len(voted) <= SHOWN else voted_by(person).count(),
        alike=_alike(person),
        agents=agents,
        customers=customers,
        read_at=now,
        start=next((task for task in here if task.on_it is None or task.on_it.is_me), None),
    )


def next_for(
    person: User, *, after: AgentReview, filters: Filters | None = None
) -> AgentReview | None:
    """Return the review that comes after `after` in the person's list, narrowed by `filters`, and
    that nobody else is on; None at the list's end. `after` may have been decided. Its `waiting` is
    how many wait for the person in all."""
    waiting = waiting_for(person)
    narrowed = (filters or Filters()).narrow(waiting, person)
    ahead = following(narrowed.filter(FREE | Q(claimed_by=person)), after, timezone.now())
    return ahead.annotate(waiting=number_of(waiting)).first()


def sentence(total: int) -> str:
    """Return the list's headline."""
    if not total:
        return "Nothing waits for you"
    return f"{words.count(total, 'action')} {'waits' if total == 1 else 'wait'} for you"


def number_of(rows: QuerySet[Any]) -> Subquery:
    """Return how many there are of these, to be read beside something else."""
    count = Func(template="COUNT(*)", output_field=IntegerField())
    return Subquery(rows.order_by().values(n=count))


def _alike(person: User) -> list[tuple[str, int]]:
    mine = approvable_together(person).filter(tool_name__in=decidable_tools(person))
    counted = mine.values_list("tool_name").annotate(n=Count("pk")).order_by("tool_name")
    return [(name, count) for name, count in counted if count > 1]


def _choices(waiting: ReviewQuerySet) -> tuple[list[str], dict[str, str]]:
    """Return the agents that wait for anybody, and the customers (id: name) that this is about.

    Not the agents of what waits for this person: that reads thousands of executions.
    """
    agents = AgentExecution.objects.filter(
        status__in=(ExecutionStatus.AWAITING_REVIEW, ExecutionStatus.RUNNING), open_reviews__gt=0
    )
    customers = waiting.order_by().exclude(customer_id=None).values_list("customer_id", flat=True)
    found = {one for one in customers.distinct() if one}
    names = dict(Customer.objects.filter(pk__in=found).values_list("pk", "name"))
    told = {one: names.get(one, one) for one in found}
    by_name = sorted(told.items(), key=lambda item: (item[1].casefold(), item[0]))
    return sorted(set(agents.values_list("agent_type", flat=True).distinct())), dict(by_name)


def _tasks(
    lists: Sequence[ReviewQuerySet],
    person: User,
    now: datetime,
    customers: dict[str, str],
    *,
    at: datetime,
) -> list[list[Task]]:
    """Read the first of each of these, one more than a page has; what is told beside them is read
    once for all. The order and the groups are those that held `at` that moment."""
    read = [list(_with_all(ordered.values("pk")[: SHOWN + 1], at)) for ordered in lists]
    every = [one for rows in read for one in rows]
    names = {one.pk: customers.get(one.customer_id or "", "") for one in every}
    said = {
        one.pk: action(one.tool_name, one.call.tool_input, customer=names[one.pk]) for one in every
    }
    losses = lost(person, every)
    chips = row_chips([(one, said[one.pk]) for one in every])

    def task(one: AgentReview) -> Task:
        customer = names[one.pk] or one.customer_id or ""
        told = {"headline": said[one.pk].headline, "customer": customer, "group": group_of(one, at)}
        return _task(one, person, now, lost_to=losses.get(one.pk), chips=chips[one.pk], **told)

    return [[task(one) for one in rows] for rows in read]


def _with_all(ids: Any, at: datetime) -> ReviewQuerySet:
    """Return these reviews with what their rows tell; wide rows are read for these alone."""
    approvals = AgentReviewVote.objects.filter(review=OuterRef("pk"), vote="approve")
    rows = with_lateness(most_urgent_first(AgentReview.objects.filter(pk__in=ids), at))
    return (
        rows.annotate(approvals=number_of(approvals))
        .select_related("call", "execution", "claimed_by")
        .defer("edited_input", "execution__input_data", "execution__state", "execution__result")
        .defer("execution__limits", "call__tool_output", "call__proposed_input")
    )


def _task(review: Any, person: User, now: datetime, **told: Any) -> Task:
    execution = review.execution
    due, tone = _due(review, now)
    return Task(
        review=review,
        approvals=review.approvals,
        launched_by_me=person.pk == (execution.launched_by_id or execution.user_id),
        edited_by_me=person.pk == review.edited_by_id,
        due=due,
        tone=tone,
        on_it=on_it(review, person, now),
        **told,
    )


def _due(review: AgentReview, now: datetime) -> tuple[str, str]:
    """Return when it is due in words, with the tone: warn once LATE of its time is used, bad when
    all of it is."""
    if review.kind == ReviewKind.DOUBT:
        return "now", "bad"
    if review.expires_at is None:
        return "whenever", ""
    left = review.expires_at - now
    if left <= timedelta(0):
        return f"{words.age(left)} over", "bad"
    used = (now - review.created_at) / (review.expires_at - review.created_at)
    return f"in {words.age(left)}", "warn" if used >= LATE else ""

"""The list of open reviews a person may decide, the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from agentops.accounts.models import User
from executions.core.states import ExecutionStatus, ReviewKind
from executions.desk.filters import FREE, Filters
from executions.desk.order import following, most_urgent_first
from executions.models import AgentExecution, AgentReview, AgentReviewVote
from executions.models.review import ReviewQuerySet
from executions.operations.batching import approvable_together
from executions.pages.rights import decidable_tools
from executions.pages.waiting import open_for, waiting_for
from executions.pages.wording import action
from executions.templatetags import words

SHOWN = 100
SOON, TODAY = timedelta(hours=1), timedelta(days=1)

IN_DOUBT = "In doubt: find out what happened"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One review in the list. `approvals`: votes for it so far."""

    review: AgentReview
    headline: str
    approvals: int
    launched_by_me: bool
    edited_by_me: bool
    group: str

    @property
    def tone(self) -> str:
        return {"Overdue": "bad", "Due within the hour": "warn"}.get(self.group, "")


@dataclass(frozen=True, kw_only=True)
class Group:
    title: str
    tasks: list[Task]


@dataclass(frozen=True, kw_only=True)
class Queue:
    """`count` is of all that wait for this person; at most SHOWN of them are in `groups`.

    `alike`: tools with how many of their calls may be decided together, two at least.
    """

    count: int
    by_tool: list[tuple[str, int]]
    groups: list[Group]
    voted: list[Task]
    alike: list[tuple[str, int]]

    @property
    def shown(self) -> int:
        return sum(len(group.tasks) for group in self.groups)


def queue_of(person: User, *, tool: str = "") -> Queue:
    """Read the person's queue; `tool` narrows the list, never the counts."""
    waiting = waiting_for(person)
    by_tool = waiting.values_list("tool_name").annotate(n=Count("pk")).order_by("tool_name")
    counts = list(by_tool)
    tasks = _tasks(waiting.filter(tool_name=tool) if tool else waiting, person)
    return Queue(
        count=sum(count for _, count in counts),
        by_tool=counts,
        groups=[
            Group(title=title, tasks=list(found))
            for title, found in groupby(tasks, key=lambda task: task.group)
        ],
        voted=_tasks(open_for(person).filter(votes__voter=person), person),
        alike=_alike(person),
    )


def _alike(person: User) -> list[tuple[str, int]]:
    mine = approvable_together(person).filter(tool_name__in=decidable_tools(person))
    counted = mine.values_list("tool_name").annotate(n=Count("pk")).order_by("tool_name")
    return [(name, count) for name, count in counted if count > 1]


def next_for(
    person: User, *, after: AgentReview, filters: Filters | None = None
) -> AgentReview | None:
    """Return the review that comes after `after` in the person's list, narrowed by `filters`, and
    that nobody else is on; None at the list's end. `after` may have been decided."""
    waiting = (filters or Filters()).narrow(waiting_for(person), person)
    return following(waiting.filter(FREE | Q(claimed_by=person)), after).first()


def midnight(now: datetime) -> datetime:
    """Return when the reader's day began; where clocks went back over it, the first of the two."""
    local = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return local.astimezone(UTC)


def today(person: User) -> dict[str, Any]:
    """Return what the empty list tells: the day's decisions, the last one, what is working."""
    votes = AgentReviewVote.objects.filter(created_at__gte=midnight(timezone.now()))
    return {
        "last": AgentReviewVote.objects.select_related("voter", "review")
        .order_by("-created_at")
        .first(),
        "said": list(votes.values_list("vote").annotate(n=Count("pk")).order_by("vote")),
        "working": AgentExecution.objects.filter(status=ExecutionStatus.RUNNING).count(),
    }


def _tasks(reviews: ReviewQuerySet, person: User) -> list[Task]:
    now = timezone.now()
    rows = most_urgent_first(reviews).select_related("call", "execution")
    rows = rows.defer("execution__input_data", "execution__state", "execution__result")
    rows = rows.defer("call__tool_output", "call__proposed_input")
    counted = rows.annotate(approvals=Count("votes", filter=Q(votes__vote="approve")))
    return [_task(review, person, now) for review in counted[:SHOWN]]


def _task(review: Any, person: User, now: datetime) -> Task:
    execution = review.execution
    return Task(
        review=review,
        headline=action(review.tool_name, review.call.tool_input).headline,
        approvals=review.approvals,
        launched_by_me=person.pk == (execution.launched_by_id or execution.user_id),
        edited_by_me=person.pk == review.edited_by_id,
        group=_group(review, now),
    )


def _group(review: AgentReview, now: datetime) -> str:
    if review.kind == ReviewKind.DOUBT:
        return IN_DOUBT
    if review.expires_at is None:
        return "Without a due time"
    left = review.expires_at - now
    if left <= timedelta(0):
        return "Overdue"
    if left <= SOON:
        return "Due within the hour"
    return "Due within a day" if left <= TODAY else "Due later"


def sentence(queue: Queue) -> str:
    """Return the list's headline."""
    if not queue.count:
        return "Nothing waits for you"
    return f"{words.count(queue.count, 'action')} {'waits' if queue.count == 1 else 'wait'} for you"

"""The list's page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from executions.desk.filters import Filters, read
from executions.desk.order import IN_WORDS
from executions.desk.queue import Queue, queue_of, sentence
from executions.desk.tally import my_day, quiet
from executions.models import AgentReview
from executions.models.review import RISKS
from executions.pages import rights
from executions.pages.frame import PersonRequest, page

MOST_CHOICES = 200
"""So many customers are offered to choose from; the others are found by the search."""

GOES_ON_FOR = timedelta(hours=1)
"""So long the next pages of a list keep its order, whatever becomes due meanwhile."""

_CHIPS = {
    "who": {"mine": "mine", "unclaimed": "nobody is on it"},
    "votes": {"second": "needs a second vote"},
    "kind": {"doubt": "in doubt"},
    "due": {"overdue": "overdue"},
}


@require_safe
def reviews(request: PersonRequest) -> HttpResponse:
    """What waits for this person, narrowed by what the address says."""
    filters, problems = read(request.GET, request.user)
    after = _place(request.GET.get("after", ""))
    at = _moment(request.GET.get("at", "")) if after else None
    if after is None and "after" in request.GET:
        problems.append("Where to go on from is not known; this is the beginning.")
    queue = queue_of(request.user, filters, after=after, at=at)
    is_end = "end" in request.GET
    context = {
        "queue": queue,
        "filters": filters,
        "problems": problems,
        "after": after.pk if after else "",
        "headline": sentence(queue.total),
        "order": IN_WORDS,
        "tools": sorted(rights.decidable_tools(request.user)),
        "risks": RISKS,
        "agents": sorted({*queue.agents, filters.agent} - {""}),
        **_customers(filters, queue),
        "kept_views": filters.view().given().items(),
        "back": _query(filters, after, at),
        "chips": _chips(filters, queue),
        "my_day": my_day(request.user) if is_end or not queue.total else "",
        "is_end": is_end,
        "quiet": None if queue.total else quiet(request.user),
    }
    return page(request, "desk/reviews.html", context, here="reviews", waiting=queue.total)


def _place(given: str) -> AgentReview | None:
    """Return the review after which to go on."""
    try:
        return AgentReview.objects.filter(pk=UUID(given)).first() if given else None
    except ValueError:
        return None


def _moment(given: str) -> datetime | None:
    """Return when the first page was read, in whose order the list goes on; None if that is not
    told, is too long ago, or is still to come."""
    try:
        moment = parse_datetime(given)
    except ValueError:
        return None
    if moment is None or timezone.is_naive(moment):
        return None
    return moment if timedelta(0) <= timezone.now() - moment <= GOES_ON_FOR else None


def _query(filters: Filters, after: AgentReview | None, at: datetime | None) -> str:
    """Return the address's query of this very page."""
    place = {"after": after and str(after.pk), "at": at and at.isoformat()}
    return urlencode({**filters.given(), **{name: one for name, one in place.items() if one}})


def _customers(filters: Filters, queue: Queue) -> dict[str, Any]:
    """Return the customers to choose from, (id, name) by name, and how many are left out."""
    known = list(queue.customers.items())
    chosen = [(filters.customer, filters.customer)] if filters.customer else []
    offered = known[:MOST_CHOICES]
    missing = [] if {filters.customer} & {one for one, _ in offered} else chosen
    return {"choices": offered + missing, "more_choices": len(known) - len(offered)}


def _chips(filters: Filters, queue: Queue) -> list[tuple[str, str]]:
    """Return each filter in words, with the address's query without it."""
    return [
        (_in_words(name, value, queue), filters.but(**{name: ""}).query)
        for name, value in filters.given().items()
    ]


def _in_words(name: str, value: str, queue: Queue) -> str:
    if name == "q":
        return f"“{value}”"
    if name == "customer":
        return queue.customers.get(value, value)
    if name == "risk":
        return f"{value} risk"
    return _CHIPS[name][value] if name in _CHIPS else value.replace("_", " ")

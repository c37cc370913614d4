"""What happened to the list since its page was loaded: a fragment that is asked for again and
again, and empty (204) while there is nothing to tell that has not been told.

Nothing on the page moves: new reviews are announced, and what was decided is marked where it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from executions.core.states import ReviewStatus
from executions.desk.counts import JUST_NOW
from executions.desk.filters import read
from executions.desk.presence import on_it
from executions.models import AgentReview, AgentReviewVote
from executions.pages.frame import PersonRequest
from executions.pages.rights import decidable_tools
from executions.pages.waiting import waiting_for
from executions.templatetags.show import named
from executions.templatetags.words import DID_THIS

MOST = 300
"""So many decided reviews are told of at most; a page does not show more."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What became of one listed review; `holder`: who is on it, None when it is over."""

    review_id: UUID
    told: str
    holder: UUID | None = None

    @property
    def is_over(self) -> bool:
        return self.holder is None


@require_safe
def waiting(request: PersonRequest) -> HttpResponse:
    """How many reviews wait for this person, if that is not what the page shows (`shown`)."""
    count = waiting_for(request.user).count()
    if request.GET.get("shown") == str(count):
        return HttpResponse(status=204)
    return _fragment(request, "desk/_waiting.html", {"count": count})


@require_safe
def news(request: PersonRequest) -> HttpResponse:
    """What is new in the list with these filters, unless the page (`told`) tells it already.

    `since` is when the page was read, `known` the ids of those that were just new then.
    """
    try:
        since = parse_datetime(request.GET.get("since", ""))
        known = {UUID(one) for one in request.GET.get("known", "").split(",") if one}
    except ValueError:
        since = None
    if since is None or timezone.is_naive(since):
        return HttpResponse(status=204)
    filters, _ = read(request.GET, request.user)
    waiting = filters.narrow(waiting_for(request.user), request.user)
    fresh = waiting.filter(created_at__gt=since - JUST_NOW)
    new = len(set(fresh.values_list("pk", flat=True)) - known)
    marks = _marks(request, since)
    told = f"{new} {_mark_of(marks)}"
    if told == request.GET.get("told", "0 "):
        return HttpResponse(status=204)
    context = {"new": new, "marks": marks, "told": told, "since": since, "filters": filters}
    return _fragment(request, "desk/_news.html", context)


def _mark_of(marks: Iterable[Mark]) -> str:
    """Return a short text that differs when the marks do."""
    told = ",".join(sorted(f"{one.review_id}{one.told}" for one in marks))
    return f"{zlib.crc32(told.encode()):08x}" if told else ""


def _fragment(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, template, context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _marks(request: PersonRequest, since: datetime) -> list[Mark]:
    """Return what was decided, and what others are on, since then."""
    mine = AgentReview.objects.filter(tool_name__in=decidable_tools(request.user))
    votes = AgentReviewVote.objects.select_related("voter").order_by("created_at")
    over = mine.filter(decided_at__gt=since - JUST_NOW).prefetch_related(Prefetch("votes", votes))
    found = [
        Mark(review_id=review.pk, told=_became(review))
        for review in over.order_by("-decided_at")[:MOST]
    ]
    now = timezone.now()
    held = mine.open().filter(claims__created_at__gt=since - JUST_NOW).select_related("claimed_by")
    for review in held.distinct()[:MOST]:
        other = on_it(review, request.user, now)
        if other and not other.is_me:
            told = f"{named(other.person)} is on this"
            found.append(Mark(review_id=review.pk, told=told, holder=other.person.pk))
    return found


def _became(review: AgentReview) -> str:
    last = list(review.votes.all())[-1:]
    if last and review.status in (ReviewStatus.APPROVED, ReviewStatus.REJECTED):
        return f"{named(last[0].voter)} {DID_THIS[last[0].vote]}"
    if review.status == ReviewStatus.EXPIRED:
        return "This expired"
    return "A newer version took its place, or its execution ended"

"""Several alike reviews on one page: each shown whole, approved together, told one by one."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from executions import operations, permissions
from executions.desk.ahead import read_ahead
from executions.desk.earlier import read_before
from executions.desk.origins import origins_of
from executions.desk.presence import on_it
from executions.desk.proposal import Proposal, proposal_of
from executions.desk.reading import Unread, check_read
from executions.models import AgentReview
from executions.operations.batching import AT_MOST, Result, approvable_together
from executions.operations.refusals import Refusal
from executions.pages import rights
from executions.pages.frame import PersonRequest, page
from executions.pages.story import Reviews, reviews_by_call
from executions.pages.wording import Action, action
from tools.read_once import read_once


@require_http_methods(["GET", "HEAD", "POST"])
def together(request: PersonRequest, tool_name: str) -> HttpResponse:
    """Show what of this tool may be approved together (GET), approve what is ticked (POST)."""
    needed = permissions.approve(tool_name)
    rights.require(request.user, needed, f"decide on {tool_name}")
    return (_approved if request.method == "POST" else _shown)(request, tool_name)


@read_once()
def _shown(request: PersonRequest, tool_name: str) -> HttpResponse:
    waiting = approvable_together(request.user).filter(tool_name=tool_name)
    found = waiting.select_related(
        "call", "execution__user", "execution__launched_by", "edited_by", "claimed_by"
    ).order_by("expires_at", "created_at", "pk")[:AT_MOST]
    now = timezone.now()
    others = {one.pk for one in found if (held := on_it(one, request.user, now)) and not held.is_me}
    context = {
        "tool_name": tool_name,
        "proposals": _proposals(list(found)),
        "others_on": others,
        "waiting": waiting.count(),
        "may_view_documents": request.user.has_perm(rights.VIEW_DOCUMENTS),
        "may_view_execution": request.user.has_perm(rights.VIEW_EXECUTIONS),
    }
    return page(request, "desk/together.html", context, here="reviews")


def _proposals(found: list[AgentReview]) -> list[Proposal]:
    """Return what each would do and where its figures come from; what it takes to tell is read for
    all of them together."""
    read_ahead(found)
    before = read_before([one.call for one in found])
    reviews = reviews_by_call(*(one.execution_id for one in found))
    by_execution: dict[UUID, Reviews] = defaultdict(dict)
    for call_id, group in reviews.items():
        by_execution[group[0].execution_id][call_id] = group
    return [
        proposal_of(
            one,
            origins=origins_of(one, before[one.call_id], by_execution[one.execution_id]),
            beside=by_execution.keys(),
            versions=reviews[one.call_id],
        )
        for one in found
    ]


def _approved(request: PersonRequest, tool_name: str) -> HttpResponse:
    try:
        seen = [_seen(item) for item in request.POST.getlist("seen")]
        unread = _unread(seen, request.POST.getlist("read"))
        seen = [one for one in seen if one[0] not in {left.review_id for left in unread}]
        results = operations.approve_together(tool_name=tool_name, person=request.user, seen=seen)
        results += unread
    except (ValueError, Refusal) as error:
        told = {"title": "Nothing was approved", "told": str(error)}
        return page(request, "pages/error.html", told, here="reviews", status=422)
    context = {
        "tool_name": tool_name,
        "done": sum(one.is_approved for one in results),
        "left": [one for one in results if not one.is_approved],
        "rows": _rows(results),
    }
    return page(request, "desk/together_done.html", context, here="reviews")


def _seen(item: str) -> tuple[UUID, str]:
    """Read `review:digest`, as the page's boxes have it."""
    review_id, _, digest = item.partition(":")
    return UUID(review_id), digest


def _unread(seen: list[tuple[UUID, str]], read: list[str]) -> list[Result]:
    """Return a result for each one whose folded parts the person has not opened."""
    found = AgentReview.objects.select_related("call").in_bulk([key for key, _ in seen])
    unread = []
    for review_id, digest in seen:
        try:
            if review_id in found:
                check_read(found[review_id], said="approve", seen_digest=digest, read=read)
        except Unread as error:
            unread.append(Result(review_id=review_id, is_approved=False, told=str(error)))
    return unread


def _rows(results: list[Result]) -> list[tuple[Result, Action | None]]:
    """Return each result with what it is about, those that were not approved first."""
    found = AgentReview.objects.select_related("call").in_bulk([one.review_id for one in results])
    said = {key: action(one.tool_name, one.call.tool_input) for key, one in found.items()}
    ordered = sorted(results, key=lambda one: one.is_approved)
    return [(one, said.get(one.review_id)) for one in ordered]

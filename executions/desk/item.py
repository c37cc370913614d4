"""One review's page, as it is now, whatever brought the person there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse

from executions import operations, permissions
from executions.core.states import ReviewKind, ReviewStatus
from executions.desk.around import answers_around
from executions.desk.asked import earlier_exchanges
from executions.desk.collisions import collision, who_can
from executions.desk.confirming import NotConfirmed, confirmation_of, reasons_of
from executions.desk.earlier import earlier
from executions.desk.filters import trail_of
from executions.desk.following import Followed, followed, held_until
from executions.desk.history import history_of
from executions.desk.origins import origins_of
from executions.desk.presence import presence_at
from executions.desk.proposal import find_review, proposal_of
from executions.desk.queue import next_for
from executions.desk.reading import Unread
from executions.desk.sheets import Incomplete, Sent, kept_from, opened, sent_by
from executions.desk.standing import able, standing_of
from executions.desk.versions import newer_than, replaced, rule_of
from executions.models import AgentReview
from executions.operations.refusals import Busy, NotPermitted, ReasonMissing, Refusal
from executions.pages import kept, rights
from executions.pages.frame import PersonRequest, page, switched_off
from executions.pages.held import Switch
from executions.pages.story import Reviews, figures, reviews_by_call, steps_between
from tools.read_once import read_once

STATUS: dict[type[Refusal], int] = {
    **dict.fromkeys((Incomplete, ReasonMissing, Unread, NotConfirmed), 422),
    NotPermitted: 403,
    Busy: 503,
}
"""What a refusal is answered by; the others collide with what somebody else did: 409."""


def permitted(request: PersonRequest, review_id: UUID) -> AgentReview:
    """Return the review, or refuse whoever may not decide on its tool."""
    found = find_review(review_id)
    if found is None:
        raise Http404
    needed = permissions.approve(found.tool_name)
    if not request.user.has_perm(needed):
        told = f"You may not decide on {found.tool_name}. Ask for {needed}."
        nothing = " Nothing was done by what you sent." if request.method == "POST" else ""
        raise PermissionDenied(f"{told}{nothing} {who_can(able(found))}")
    return found


def refused(
    request: PersonRequest, found: AgentReview, error: Refusal, **more: Any
) -> HttpResponse:
    """Show what counts now, why nothing was done, and what the person had typed, in the form they
    were in when it can be mended there.

    When a newer version took the place of what they saw, it is that one, with what changed.
    """
    found = find_review(found.pk) or found
    sent = sent_by(request, error)
    more |= {"refusal": error, "read": request.POST.getlist("read")}
    change = replaced(found)
    if change:
        told = Refusal("A newer version has replaced what you saw.")
        more |= {"replaced": change, "refusal": told}
        sent = replace(sent, again=None)
        found = find_review(change.newer.pk) or found
    return review_page(request, found, more, sent=sent, status=STATUS.get(type(error), 409))


@read_once()
def review_page(
    request: PersonRequest,
    found: AgentReview,
    more: dict[str, Any] | None = None,
    *,
    sent: Sent | None = None,
    status: int = 200,
) -> HttpResponse:
    """`sent`: what was not taken of what the person sent."""
    reviews = reviews_by_call(found.execution_id)
    versions = reviews[found.call_id]
    step = found.call.step_number
    before = earlier(found.execution_id, step)
    origins = origins_of(found, before, reviews)
    proposal = proposal_of(found, origins=origins, versions=versions)
    standing = standing_of(request.user, found, versions)
    off = switched_off()
    became = followed(request.user, found, standing, versions, off)
    following = following_context(request, found, became, versions, off)
    presence = presence_at(found, request.user)
    address = reverse("review", args=[found.pk])
    if more is None:
        sent = kept_from(kept.words_for(request, address), proposal)
    others = _other_reviews(found, reviews)
    context = {
        **following,
        "proposal": proposal,
        "call": proposal.call,
        "outdated": operations.outdated(proposal.execution),
        "standing": standing,
        "steps": steps_between(
            found.execution_id, before.first, step, calls=before.around, reviews=reviews
        ),
        **answers_around(found.call_id, before.around, origins),
        "history": history_of(found, versions),
        "rule": rule_of(versions),
        "figures": figures(proposal.execution),
        "others": others,
        "confirmation": confirmation_of(found),
        "reasons": reasons_of(found),
        "exchanges": earlier_exchanges(found, others),
        **presence,
        "decides": rights.decidable_tools(request.user),
        "may_view_documents": request.user.has_perm(rights.VIEW_DOCUMENTS),
        "kept": sent if more is None else None,
        "also_open": _also_open(others),
        **opened(sent, standing, presence["on_it"]),
        **(more or {}),
    }
    upcoming = following["next"]
    if error := context.get("refusal"):
        has_next = upcoming is not None
        context["refusal"] = collision(error, request.user, found, standing, has_next=has_next)
    if became and status == 200 and "still" not in request.GET:
        trail = following["filters"].trail
        context["refresh"] = {"s": became.look_again_s, "url": f"{address}{trail}"}
    waiting = upcoming.waiting if upcoming else None
    return page(
        request, "desk/review.html", context, here="reviews", status=status, waiting=waiting
    )


def following_context(
    request: PersonRequest,
    found: AgentReview,
    became: Followed | None,
    versions: Sequence[AgentReview],
    off: Sequence[Switch],
) -> dict[str, Any]:
    """Return what the part of the page shows that follows a review to its end."""
    filters = trail_of(request, request.user)
    return {
        "switched_off": off,
        "held": held_until(off, found),
        "followed": became,
        "review": found,
        "call": found.call,
        "execution": found.execution,
        "newer": newer_than(found, versions),
        "next": next_for(request.user, after=found, filters=filters),
        "filters": filters,
        "may_view_execution": request.user.has_perm(rights.VIEW_EXECUTIONS),
    }


def _other_reviews(found: AgentReview, reviews: Reviews) -> list[AgentReview]:
    """Return the reviews of the execution's other calls, oldest first."""
    every = [one for call, group in reviews.items() for one in group if call != found.call_id]
    return sorted(every, key=lambda one: one.created_at)


def _also_open(others: list[AgentReview]) -> int:
    """Count the other reviews that become void when the execution is cancelled."""
    return sum(
        one.status == ReviewStatus.OPEN and one.kind == ReviewKind.APPROVAL for one in others
    )

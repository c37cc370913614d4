"""The desk's views. Looking changes nothing; deciding calls one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from executions import operations, permissions
from executions.desk.forms import DecisionForm, SeenForm, SettleForm
from executions.desk.outcome import outcome_of
from executions.desk.proposal import find_review, proposal_of
from executions.desk.queue import next_for, queue_of, sentence, today
from executions.desk.standing import standing_of
from executions.models import AgentReview
from executions.operations.refusals import AlreadyDecided, NotPermitted, ReasonMissing, Refusal
from executions.pages import rights
from executions.pages.frame import PersonRequest, page
from executions.pages.story import figures, reviews_by_call, steps_up_to

AROUND = 4
"""So many steps stand around the call on its page."""
LOOK_AGAIN_S = 2

_STATUS = {NotPermitted: 403, ReasonMissing: 422}


@require_safe
def reviews(request: PersonRequest) -> HttpResponse:
    """What waits for this person."""
    tool = request.GET.get("tool", "")
    queue = queue_of(request.user, tool=tool)
    context = {
        "queue": queue,
        "tool": tool,
        "headline": sentence(queue),
        "decides": sorted(rights.decidable_tools(request.user)),
        "today": {} if queue.count else today(request.user),
    }
    return page(request, "desk/reviews.html", context, here="reviews")


@require_safe
def review(request: PersonRequest, review_id: UUID) -> HttpResponse:
    return _review_page(request, _permitted(request, review_id))


@require_POST
def decide(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Approve or reject."""

    def vote(values: dict[str, Any]) -> None:
        operations.decide(
            review_id=review_id,
            person=request.user,
            approve=values["decision"] == "approve",
            seen_digest=values["seen_digest"],
            reason=values["reason"],
        )

    return _voted(request, review_id, DecisionForm(request.POST), vote)


@require_POST
def settle(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Say what became of a call in doubt."""

    def vote(values: dict[str, Any]) -> None:
        operations.settle(
            review_id=review_id,
            person=request.user,
            verdict=values["verdict"],
            seen_digest=values["seen_digest"],
            reason=values["reason"],
        )

    return _voted(request, review_id, SettleForm(request.POST), vote)


def _voted(
    request: PersonRequest, review_id: UUID, form: SeenForm, vote: Callable[[dict[str, Any]], None]
) -> HttpResponse:
    """Vote and show what follows; a refusal shows the page again, with what was typed."""
    found = _permitted(request, review_id)
    if not form.is_valid():
        told = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _refused(request, found, told, status=422)
    values = form.cleaned_data
    try:
        vote(values)
    except AlreadyDecided as error:
        # The second half of a double click finds the first one's vote.
        said = values.get("decision") or values["verdict"]
        same = found.votes.filter(voter=request.user, vote="approve" if said == "run" else said)
        if not same.filter(input_digest=values["seen_digest"]).exists():
            return _refused(request, found, str(error), status=409)
    except Refusal as error:
        return _refused(request, found, str(error), status=_STATUS.get(type(error), 409))
    return redirect("review", review_id)


def _permitted(request: PersonRequest, review_id: UUID) -> AgentReview:
    """Return the review, or refuse whoever may not decide on its tool."""
    found = find_review(review_id)
    if found is None:
        raise Http404
    needed = permissions.approve(found.tool_name)
    if not request.user.has_perm(needed):
        raise PermissionDenied(f"You may not decide on {found.tool_name}. Ask for {needed}.")
    return found


def _refused(request: PersonRequest, found: AgentReview, told: str, *, status: int) -> HttpResponse:
    """Show the page as it is now, why nothing was done, and what the person had typed."""
    found = find_review(found.pk) or found
    typed = {
        "refusal": told,
        "typed": request.POST.get("reason", ""),
        "verdict": request.POST.get("verdict", ""),
    }
    return _review_page(request, found, typed, status=status)


def _review_page(
    request: PersonRequest,
    found: AgentReview,
    more: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    proposal = proposal_of(found)
    standing = standing_of(request.user, found)
    outcome = outcome_of(found, standing)
    context = {
        "proposal": proposal,
        "review": found,
        "call": proposal.call,
        "execution": proposal.execution,
        "outdated": operations.outdated(proposal.execution),
        "standing": standing,
        "outcome": outcome,
        "steps": steps_up_to(found.execution_id, proposal.call.step_number, last=AROUND),
        "figures": figures(proposal.execution),
        "others": _other_reviews(found),
        "next": next_for(request.user, after=found),
        "may_view_execution": request.user.has_perm(rights.VIEW_EXECUTIONS),
        "may_view_documents": request.user.has_perm(rights.VIEW_DOCUMENTS),
        **(more or {}),
    }
    response = page(request, "desk/review.html", context, here="reviews", status=status)
    if outcome and outcome.is_moving and status == 200 and "still" not in request.GET:
        response.headers["Refresh"] = str(LOOK_AGAIN_S)
    return response


def _other_reviews(found: AgentReview) -> list[AgentReview]:
    """Return the other reviews of this execution, oldest first."""
    every = [one for group in reviews_by_call(found.execution_id).values() for one in group]
    return sorted((one for one in every if one.pk != found.pk), key=lambda one: one.created_at)

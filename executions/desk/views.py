"""The desk's views. Looking changes nothing; deciding calls one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from executions import operations
from executions.desk.confirming import check_typed
from executions.desk.following import followed, strip_of
from executions.desk.forms import AskForm, CancelForm, DecisionForm, SeenForm, SettleForm
from executions.desk.item import following_context, permitted, refused, review_page
from executions.desk.proposal import find_review, proposal_of
from executions.desk.reading import check_read
from executions.desk.sending import form_of_review, to_review
from executions.desk.sheets import Incomplete
from executions.desk.standing import standing_of
from executions.desk.versions import replaced, versions_of
from executions.models import AgentReview
from executions.operations import cancelling
from executions.operations.refusals import AlreadyDecided, AlreadyFinal, Refusal
from executions.pages import kept
from executions.pages.frame import PersonRequest, switched_off
from executions.templatetags import words

_SAID = {
    "approve": "approved this",
    "reject": "rejected this",
    "ask": "asked about this",
    "happened": "said that it happened",
    "drop": "dropped this",
}


@require_safe
def review(request: PersonRequest, review_id: UUID) -> HttpResponse:
    return review_page(request, permitted(request, review_id))


@require_safe
def outcome(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Answer the part of a review's page that follows it to its end, with what the page's head and
    title say of it: 204 while it is as `seen`."""
    found = permitted(request, review_id)
    versions = versions_of(found)
    standing = standing_of(request.user, found, versions)
    off, seen = switched_off(), request.GET.get("seen", "")
    became = followed(request.user, found, standing, versions, off)
    if became is None or became.state == seen:
        return HttpResponse(status=204)
    context = {
        **following_context(request, found, became, versions, off),
        "strip_anew": not seen.endswith(f":{strip_of(off)}"),
        "standing": standing,
        "headline": proposal_of(found).sentence,
    }
    response = render(request, "desk/_followed_anew.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@form_of_review
def decide(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Approve or reject."""

    def vote(found: AgentReview, values: dict[str, Any]) -> None:
        approve = values["decision"] == "approve"
        if approve:
            check_typed(found, values["typed"], seen_digest=values["seen_digest"])
        operations.decide(
            review_id=review_id,
            person=request.user,
            approve=approve,
            seen_digest=values["seen_digest"],
            reason=values["reason"],
            stop=values["then"] == "stop",
        )

    return _voted(request, review_id, DecisionForm(request.POST), vote)


@form_of_review
def ask(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Ask the agent in place of a decision."""

    def vote(found: AgentReview, values: dict[str, Any]) -> None:
        operations.ask(
            review_id=review_id,
            person=request.user,
            question=values["question"],
            seen_digest=values["seen_digest"],
        )

    return _voted(request, review_id, AskForm(request.POST), vote, says="ask")


@form_of_review
def settle(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Say what became of a call in doubt."""

    def vote(found: AgentReview, values: dict[str, Any]) -> None:
        operations.settle(
            review_id=review_id,
            person=request.user,
            verdict=values["verdict"],
            seen_digest=values["seen_digest"],
            reason=values["reason"],
        )

    return _voted(request, review_id, SettleForm(request.POST), vote)


@form_of_review
def withdraw(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Take one's vote back while it is one of several, or the approval inside its undo window."""
    found = permitted(request, review_id)
    reason = request.POST.get("reason", "")
    try:
        newer = operations.withdraw(review_id=review_id, person=request.user, reason=reason)
    except AlreadyDecided:  # the second half of a double click
        change = replaced(found)
        return to_review(request, change.newer.pk if change else review_id)
    except Refusal as error:
        return refused(request, found, error)
    told = "Taken back before it started. It waits for a decision again."
    if newer.pk == review_id:
        told = "Your vote is withdrawn and counts no more. You may decide anew."
    messages.success(request, told)
    return to_review(request, newer.pk)


@form_of_review
def cancel(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Cancel the execution whose action this is."""
    found = permitted(request, review_id)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return refused(request, found, Incomplete(form))
    try:
        operations.cancel(
            execution_id=found.execution_id,
            person=request.user,
            reason=form.cleaned_data["reason"],
        )
    except AlreadyFinal as error:
        if not cancelling.was_by(found.execution_id, request.user):
            return refused(request, found, error)
        told = "You cancelled it already. It counts once."
        return review_page(request, find_review(found.pk) or found, {"already": told})
    except Refusal as error:
        return refused(request, found, error)
    return _done(request, review_id)


def _voted(
    request: PersonRequest,
    review_id: UUID,
    form: SeenForm,
    vote: Callable[[AgentReview, dict[str, Any]], None],
    *,
    says: str = "",
) -> HttpResponse:
    """Vote and show what follows; a refusal shows the page again, with what was typed. `says` is
    the vote where the form does not name it."""
    found = permitted(request, review_id)
    if not form.is_valid():
        return refused(request, found, Incomplete(form))
    values = form.cleaned_data
    said = says or values.get("decision") or values["verdict"]
    read = request.POST.getlist("read")
    try:
        check_read(found, said=said, seen_digest=values["seen_digest"], read=read)
        vote(found, values)
    except AlreadyDecided as error:
        already = _same_again(request, found, said, values["seen_digest"])
        return already or refused(request, found, error)
    except Refusal as error:
        return refused(request, found, error)
    return _done(request, review_id)


def _done(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Go on to what follows, on the review's page."""
    kept.drop(request, reverse("review", args=[review_id]))
    return to_review(request, review_id)


def _same_again(
    request: PersonRequest, found: AgentReview, said: str, seen_digest: str
) -> HttpResponse | None:
    """Answer the second half of a double click by what the first one did; None if it is not one."""
    said = "approve" if said == "run" else said
    same = found.votes.filter(voter=request.user, vote=said, input_digest=seen_digest).first()
    if same is None:
        return None
    ago = words.ago(timezone.now() - same.created_at)
    told = f"You {_SAID[said]} already, {ago}. It counts once."
    return review_page(request, find_review(found.pk) or found, {"already": told})

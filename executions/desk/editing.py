"""Edit the arguments of a call: a form, then what would change, then one operation.

Three posts to one address, told apart by `step`: `check` sends the fields, `back` returns to them,
`confirm` edits. Between them the arguments travel as JSON; each step checks them anew.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from executions import operations
from executions.core import storable
from executions.core.states import ReviewKind, ReviewStatus
from executions.desk.differences import differences
from executions.desk.field_errors import blame
from executions.desk.fields import Group, form_of
from executions.desk.filters import trail_of
from executions.desk.item import permitted, refused
from executions.desk.proposal import Proposal, proposal_of
from executions.desk.sending import to_review
from executions.desk.standing import standing_of
from executions.desk.versions import replaced, shown_by, versions_of
from executions.models import AgentReview
from executions.operations.editing import checked
from executions.operations.refusals import EditRefused, NotPermitted, Refusal, ReviewClosed
from executions.pages import kept
from executions.pages.frame import PersonRequest, page
from tools.base import Tool


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PersonRequest, review_id: UUID) -> HttpResponse:
    found = permitted(request, review_id)
    proposal = proposal_of(found)
    if proposal.tool is None or found.kind != ReviewKind.APPROVAL:
        raise Http404("There is nothing to edit.")
    if request.method != "POST":
        if found.status != ReviewStatus.OPEN:
            return redirect("review", review_id)
        return _fields(request, proposal, _form(proposal))
    if request.POST.get("seen_digest") != found.input_digest or found.status != ReviewStatus.OPEN:
        return _too_late(request, found)
    match request.POST.get("step"):
        case "confirm":
            return _edited(request, proposal, _sent(request))
        case "back":
            return _fields(request, proposal, _form(proposal, _sent(request)))
    return _looked_at(request, proposal, proposal.tool)


def _looked_at(request: PersonRequest, proposal: Proposal, tool: Tool) -> HttpResponse:
    """Read the fields; show what they would change, or what is wrong with them."""
    form = _form(proposal)
    arguments = form.read(request.POST)
    if any(one.errors for one in form.fields()):
        return _fields(request, proposal, form, status=422)
    try:
        arguments = checked(tool_name=tool.name, arguments=arguments).arguments
    except EditRefused as error:
        return _fields(request, proposal, form, told=blame(form, str(error)), status=422)
    changes = differences(proposal.call.tool_input, arguments)
    if not changes:
        return _fields(request, proposal, form, told=["That changes nothing yet."], status=422)
    context = {
        "changes": changes,
        "arguments": json.dumps(arguments),
        "reason": request.POST.get("reason", ""),
        "edited": proposal_of(proposal.review, arguments=arguments),
    }
    return _page(request, "desk/edit_confirm.html", proposal, context)


def _edited(request: PersonRequest, proposal: Proposal, arguments: Any) -> HttpResponse:
    found = proposal.review
    try:
        newer = operations.edit(
            review_id=found.pk,
            person=request.user,
            arguments=arguments,
            seen_digest=request.POST.get("seen_digest", ""),
            reason=request.POST.get("reason", ""),
        )
    except EditRefused as error:
        form = _form(proposal, arguments)
        return _fields(request, proposal, form, told=blame(form, str(error)), status=422)
    except NotPermitted as error:
        return refused(request, found, error)
    except Refusal:
        return _too_late(request, found)
    kept.drop(request, reverse("review-edit", args=[found.pk]))
    messages.success(request, "Your edit is before people now. Somebody else approves it.")
    return to_review(request, newer.pk)


def _too_late(request: PersonRequest, found: AgentReview) -> HttpResponse:
    """Somebody was faster; the second half of a double click was only oneself."""
    change = replaced(found)
    if change and change.newer.edited_by == request.user:
        return redirect("review", change.newer.pk)
    told = "What you edited is not what is before people any more. Your edit was not taken."
    return refused(request, found, ReviewClosed(told), lost_edit=_lost(request, found))


def _lost(request: PersonRequest, found: AgentReview) -> Any:
    """Return what the person had made of the arguments, so that it can be copied."""
    tool = proposal_of(found).tool
    if "arguments" in request.POST or tool is None:
        return _sent(request)
    return form_of(tool, shown_by(found)).read(request.POST)


def _form(proposal: Proposal, arguments: Any = None) -> Group:
    """Return the form with `arguments`, or with those proposed, beside what is on record now."""
    assert proposal.tool is not None
    given = proposal.call.tool_input if arguments is None else arguments
    stands = (proposal.preview or {}).get("on_record")
    return form_of(proposal.tool, given, stands if isinstance(stands, dict) else None)


def _sent(request: PersonRequest) -> Any:
    try:
        return storable.parse(request.POST.get("arguments", ""))
    except ValueError as error:
        raise Http404("These are no arguments.") from error


def _fields(
    request: PersonRequest,
    proposal: Proposal,
    form: Group,
    *,
    told: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    words = kept.words_for(request, reverse("review-edit", args=[proposal.review.pk]))
    if words and request.method != "POST":
        form.read(words)
    context = {
        "form": form,
        "told": told or [],
        "reason": request.POST.get("reason", words.get("reason", "")),
        "kept": words if request.method != "POST" else {},
    }
    return _page(request, "desk/edit.html", proposal, context, status=status)


def _page(
    request: PersonRequest,
    template: str,
    proposal: Proposal,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    shared = {
        "proposal": proposal,
        "review": proposal.review,
        "call": proposal.call,
        "standing": standing_of(request.user, proposal.review, versions_of(proposal.review)),
        "filters": trail_of(request, request.user),
    }
    return page(request, template, {**shared, **context}, here="reviews", status=status)

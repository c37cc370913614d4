"""The buttons by which a person is on a review, or no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from executions import operations
from executions.desk.item import permitted, refused
from executions.desk.sending import form_of_review, to_review
from executions.operations.refusals import Refusal
from executions.pages import kept
from executions.pages.frame import PersonRequest


@form_of_review
def claim(request: PersonRequest, review_id: UUID) -> HttpResponse:
    return _done(request, review_id, operations.claim)


@form_of_review
def release(request: PersonRequest, review_id: UUID) -> HttpResponse:
    return _done(request, review_id, operations.release)


@form_of_review
def take_over(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Be on it in the place of `from_whom`, whom the page showed; a refusal keeps the reason."""
    try:
        from_whom = UUID(request.POST.get("from_whom", ""))
    except ValueError:
        from_whom = UUID(int=0)  # nobody's: then only what nobody is on is taken
    found = permitted(request, review_id)
    reason = request.POST.get("reason", "")
    try:
        operations.take_over(
            review_id=review_id, person=request.user, from_whom=from_whom, reason=reason
        )
    except Refusal as error:
        return refused(request, found, error)
    kept.drop(request, reverse("review", args=[review_id]), form="review-take-over")
    return _back(request, review_id)


def _done(request: PersonRequest, review_id: UUID, operation: Callable[..., Any]) -> HttpResponse:
    permitted(request, review_id)
    try:
        operation(review_id=review_id, person=request.user)
    except Refusal as error:
        messages.error(request, str(error))
    return _back(request, review_id)


def _back(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Go back to where the button was: `back` is the list's query when it was there."""
    if "back" in request.POST:
        query = QueryDict(request.POST["back"]).urlencode()
        return redirect(f"{reverse('reviews')}?{query}#review-{review_id}")
    return to_review(request, review_id)

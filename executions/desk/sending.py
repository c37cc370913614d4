"""What a form of a review's page is sent to, and the way back from there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse

from executions.desk.filters import trail_of
from executions.pages.frame import PersonRequest

View = Callable[[PersonRequest, UUID], HttpResponse]


def to_review(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """Go on to the review's page, with the list from which the person came."""
    address = reverse("review", args=[review_id])
    return redirect(f"{address}{trail_of(request, request.user).trail}")


def form_of_review(view: View) -> View:
    """Let a view be sent forms only. Its address stands in the browser after a form that lacked
    something, so whoever looks at it, or was sent it, is led to the review."""

    @wraps(view)
    def looked_at_or_sent(request: PersonRequest, review_id: UUID) -> HttpResponse:
        if request.method == "POST":
            return view(request, review_id)
        if request.method in ("GET", "HEAD"):
            return to_review(request, review_id)
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])

    return looked_at_or_sent

"""What people see when something is not there, not theirs, or broken."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from executions.pages.frame import page, site

DATABASE_AWAY = (OperationalError, InterfaceError)
RETRY_AFTER_S = 5
LONG_CHARS = 20


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: say which right is missing, when somebody said."""
    told = str(exception or "") or "You may not see this page."
    context = {"title": "Not for you", "told": told, "typed": _own_words(request)}
    return page(request, "pages/error.html", context, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    told = "There is no such page, or not any more. Nothing was changed."
    return page(request, "pages/error.html", {"title": "Nothing here", "told": told}, status=404)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of the CSRF check: the form is older than the login."""
    told = (
        "The form you sent does not belong to your present login, so nothing was changed. Go back, "
        "load the page again, and send it once more."
    )
    context = {"title": "Send it again", "told": told, "typed": _own_words(request)}
    return page(request, "pages/error.html", context, status=403)


def _own_words(request: HttpRequest) -> list[str]:
    """Return what was typed, if the form came from a page of ours and not from elsewhere."""
    sent_from = urlsplit(request.headers.get("Origin", "")).netloc
    if sent_from != request.get_host():
        return []
    own = ("reason", "question")
    typed = [name for name in request.POST if name in own or name.startswith("arg.")]
    values = [str(request.POST[name]) for name in typed]
    return [value for value in values if len(value) >= LONG_CHARS]


def broken(request: HttpRequest) -> HttpResponse:
    """500, or 503 while the database is away or busy; neither page asks it anything, not even who
    is there."""
    if isinstance(sys.exc_info()[1], DATABASE_AWAY):
        return unsaved(request)
    return HttpResponse(render_to_string("pages/broken.html"), status=500)


def unsaved(request: HttpRequest) -> HttpResponse:
    """503: say what is not saved, with the same form to send again. Each counts once."""
    has_password = any("password" in name for name in request.POST)
    is_form = request.method == "POST" and not has_password
    context = {
        **site(),
        "is_form": is_form,
        "was_sent": request.method == "POST",
        "fields": [
            (name, value) for name, values in request.POST.lists() for value in values if is_form
        ],
        "address": request.get_full_path(),
    }
    response = HttpResponse(render_to_string("pages/unsaved.html", context), status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    response.headers["Cache-Control"] = "no-store"
    return response

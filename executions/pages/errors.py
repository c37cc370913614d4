"""What people see when something is not there, not theirs, or broken."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from executions.pages.frame import page

DATABASE_AWAY = (OperationalError, InterfaceError)
TRY_AGAIN_S = 5


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: say which right is missing, when somebody said."""
    told = str(exception or "") or "You may not see this page."
    return page(request, "pages/error.html", {"title": "Not for you", "told": told}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    told = "There is no such page, or not any more. Nothing was changed."
    return page(request, "pages/error.html", {"title": "Nothing here", "told": told}, status=404)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of the CSRF check: the form is older than the login."""
    told = (
        "The form you sent does not belong to your present login, so nothing was changed. Go back, "
        "load the page again, and send it once more."
    )
    return page(request, "pages/error.html", {"title": "Send it again", "told": told}, status=403)


def broken(request: HttpRequest) -> HttpResponse:
    """500, or 503 while the database is away or busy; neither page asks it anything."""
    if not isinstance(sys.exc_info()[1], DATABASE_AWAY):
        return render(request, "pages/broken.html", status=500)
    context = {"changes": request.method == "POST"}
    response = render(request, "pages/away.html", context, status=503)
    response.headers["Retry-After"] = str(TRY_AGAIN_S)
    return response

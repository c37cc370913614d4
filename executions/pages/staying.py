"""Whoever works stays logged in: each page they ask for begins the time of their login anew.

Before that time is over the page says so and offers to stay (static/agentops/stay.js, WCAG 2.2.1).
What a page asks for by itself is no sign of a person and prolongs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

UNTIL = "until"
RENEW_AFTER_S, WARN_S = 300, 600


class StayWhileWorking:
    """Middleware; writes the session at most once in RENEW_AFTER_S."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        left = left_s(request)
        if 0 < left < settings.SESSION_COOKIE_AGE - RENEW_AFTER_S and _is_of_a_person(request):
            begin(request)
        return self.get_response(request)


def begin(request: HttpRequest, **_: Any) -> None:
    """Give the login its whole time, from now. Also called when somebody logs in."""
    request.session[UNTIL] = int(time.time()) + settings.SESSION_COOKIE_AGE


def left_s(request: HttpRequest) -> int:
    """Return in how many seconds the login ends; 0 for whoever is not logged in."""
    until: int = request.session.get(UNTIL, 0)
    return max(until - int(time.time()), 0)


def told(request: HttpRequest) -> dict[str, int]:
    """Return what a page of somebody who is logged in tells of their login, for its warning."""
    return {"stays_s": left_s(request), "warn_s": WARN_S}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stay(request: HttpRequest) -> HttpResponse:
    """Tell how long the login lasts (GET), prolong it (POST)."""
    if request.method == "POST":
        begin(request)
    return JsonResponse({"left_s": left_s(request)})


def _is_of_a_person(request: HttpRequest) -> bool:
    """A page or a form, not what a script of a page fetches. Old browsers do not tell: believed."""
    return request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"

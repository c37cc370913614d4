"""What a person typed is not lost with the session: it goes through the login and comes back.

A form sent without a session is not acted upon. The login page is shown in its place and carries
what was typed, signed, to the session that the login makes; there it fills fields, nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from executions.pages.frame import site

SALT = "kept words"
KEY = "kept"
FORM = "form"
"""Under this name the words say which form they were typed into: the name of its address."""
GOOD_FOR_S = 3600
MOST_CHARS = 200_000
MOST_PAGES = 5
NOT_KEPT = ("csrfmiddlewaretoken", "password", "seen_digest", "read", "back", "from_whom", KEY)
Words = dict[str, str]

# Which page shows the form that is sent to a place.
FORM_IS_ON = {
    "review-decide": "review",
    "review-ask": "review",
    "review-cancel": "review",
    "review-settle": "review",
    "review-withdraw": "review",
    "review-claim": "review",
    "review-release": "review",
    "review-take-over": "review",
    "review-edit": "review-edit",
    "execution-cancel": "execution",
}


class KeepWords(LoginRequiredMiddleware):
    """Django's middleware, but a form sent without a session is kept through the login."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        match = request.resolver_match
        if request.method != "POST" or match is None or match.url_name not in FORM_IS_ON:
            answer: HttpResponseBase = super().handle_no_permission(request, view_func)
            return answer
        page = reverse(FORM_IS_ON[match.url_name], kwargs=match.kwargs)
        context = {**site(), "next": page, "was_sent": True, **_kept(page, match.url_name, request)}
        return render(request, "pages/login.html", context, status=401)


def _kept(page: str, form: str, request: HttpRequest) -> dict[str, Any]:
    """Return for the login page what was typed, signed, and whether it is too long for that."""
    words = {name: value for name, value in request.POST.items() if name not in NOT_KEPT}
    if sum(map(len, words.values())) > MOST_CHARS:
        return {"is_too_long": True}
    if not words:
        return {}
    given = {"page": page, "words": {**words, FORM: form}}
    return {"kept": signing.dumps(given, salt=SALT, compress=True)}


def unpack(request: HttpRequest) -> None:
    """After a login: put what the login form carried into the new session, if it is ours."""
    try:
        found = signing.loads(request.POST.get(KEY, ""), salt=SALT, max_age=GOOD_FOR_S)
    except signing.BadSignature:
        return
    kept = {**request.session.get(KEY, {}), found["page"]: found["words"]}
    request.session[KEY] = dict(list(kept.items())[-MOST_PAGES:])


def words_for(request: HttpRequest, page: str) -> Words:
    """Return what was typed on this page before the login. Looking does not use it up."""
    kept: dict[str, Words] = request.session.get(KEY, {})
    return kept.get(page, {})


def drop(request: HttpRequest, page: str, *, form: str = "") -> None:
    """Forget what was kept for a page: the person has sent its form. With `form` named, only what
    was typed into that one."""
    kept = request.session.get(KEY, {})
    if page in kept and form in ("", kept[page].get(FORM)):
        request.session[KEY] = {name: words for name, words in kept.items() if name != page}

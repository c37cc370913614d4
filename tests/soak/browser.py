"""A person's browser, as far as a robot needs one: cookies, pages, forms. No JavaScript."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any

TIMEOUT_S = 30.0
UNAVAILABLE = 503


class Away(Exception):
    """The site is away: nobody listens, the connection broke, or it says so itself (503)."""


@dataclass
class Form:
    """`fields` as they would be sent; `choices` are the values of radio buttons not disabled."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Page:
    """An answer. `goes_to` is where a redirect leads, which is never followed."""

    status: int
    text: str
    goes_to: str

    def forms(self) -> list[Form]:
        reader = _FormReader()
        reader.feed(self.text)
        return reader.forms


class Browser:
    """One person's session with the site at `base`, an address without a slash at its end."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(CookieJar()),
            _Stay(),
        )

    def get(self, path: str) -> Page:
        """Return the page; raises Away."""
        return self._ask(path, None)

    def post(self, path: str, fields: dict[str, str]) -> Page:
        """Send a form; raises Away, after which it may or may not have been heeded."""
        return self._ask(path, urllib.parse.urlencode(fields).encode())

    def _ask(self, path: str, body: bytes | None) -> Page:
        request = urllib.request.Request(self._base + path, data=body)
        try:
            page = self._answer(request)
        except (OSError, http.client.HTTPException) as error:
            raise Away(f"{path}: {error}") from None
        if page.status == UNAVAILABLE:
            raise Away(f"{path}: {UNAVAILABLE}")
        return page

    def _answer(self, request: urllib.request.Request) -> Page:
        """Return the whole answer, whatever its status; it may break off at any byte."""
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return _page(answer)
        except urllib.error.HTTPError as error:
            with error:
                return _page(error)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _page(answer: Any) -> Page:
    text = answer.read().decode(errors="replace")
    return Page(answer.status, text, answer.headers.get("Location") or "")


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._open = True
            self.forms.append(Form(given.get("action") or ""))
        elif self._open and tag in ("input", "textarea") and (name := given.get("name")):
            if given.get("type") != "radio":
                self.forms[-1].fields[name] = given.get("value") or ""
            elif "disabled" not in given:
                self.forms[-1].choices.add(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False

"""A real browser on a real server, on this test's database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

from agentops.accounts.models import User
from tests.rehearsal_server import RehearsalServer

ANSWERED = re.compile(r"responded with a status of (\d+)")
# Beyond these a page is narrower than any telephone, or wider than its text.
PHONE, DESKTOP = {"width": 360, "height": 780}, {"width": 1280, "height": 900}


@dataclass
class Watch:
    """What a page may not do: complain, or ask another server for anything.

    `answers`: the refusals that a test asks for; the browser itself complains of each.
    """

    own: str
    answers: set[int] = field(default_factory=set)
    found: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("console", lambda said: self._note(self._is_complaint(said), said.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("dialog", lambda dialog: self._note(True, f"dialog: {dialog.message}"))
        page.on("request", lambda asked: self._note(not self._is_own(asked.url), asked.url))

    def _is_complaint(self, said: ConsoleMessage) -> bool:
        answered = ANSWERED.search(said.text)
        is_asked_for = answered is not None and int(answered[1]) in self.answers
        return said.type in ("error", "warning") and not is_asked_for

    def _is_own(self, url: str) -> bool:
        return url.startswith((self.own, "data:", "blob:", "about:"))

    def _note(self, matters: bool, what: str) -> None:
        if matters:
            self.found.append(what)


@dataclass(frozen=True)
class Site:
    """`opened(person)` is a page on which that person is logged in."""

    url: str
    opened: Callable[..., Page]
    watch: Watch


@pytest.fixture
def site(committed_db: None, live_server: LiveServer, browser: Browser) -> Iterator[Site]:
    watch = Watch(own=live_server.url)
    contexts: list[BrowserContext] = []

    def opened(person: User | None = None, **options: object) -> Page:
        context = browser.new_context(
            base_url=live_server.url, **{"viewport": DESKTOP, "color_scheme": "light", **options}
        )
        contexts.append(context)
        if person:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": _session(person)}
            context.add_cookies([{**cookie, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(15_000)
        watch.follow(page)
        return page

    yield Site(live_server.url, opened, watch)
    for context in contexts:
        context.close()
    assert watch.found == []


def _session(person: User) -> str:
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def llm(rehearsal: RehearsalServer) -> RehearsalServer:
    return rehearsal


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures of the pages go; pytest keeps the last three folders."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder

"""The site's real web server on a run's database, and people who are really logged in to it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from django.urls import reverse

from agentops.dev import ports, services
from bench.counting import CPU_MS, QUERIES
from bench.place import Place
from bench.processes import until

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
PATIENCE_S = 120


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`seconds` from sending the request to having read all of it; `cpu_ms` of the web server's."""

    status: int
    page: str
    seconds: float
    cpu_ms: float
    queries: int
    size: int
    location: str

    @property
    def token(self) -> str:
        found = TOKEN.search(self.page)
        assert found, "the page has no form"
        return found[1]

    def after(self, earlier: Answer) -> Answer:
        """Return this one with what an earlier one took counted in."""
        return replace(
            self,
            seconds=self.seconds + earlier.seconds,
            cpu_ms=self.cpu_ms + earlier.cpu_ms,
            queries=self.queries + earlier.queries,
            size=self.size + earlier.size,
        )


class Visitor:
    """One person's browser, as far as HTTP and cookies go; each request has a connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}

    def log_in(self, name: str, password: str) -> None:
        form = {"username": name, "password": password}
        sent = self.send(reverse("login"), form, token=self.open(reverse("login")).token)
        assert sent.status == 302, sent.page

    def open(self, address: str) -> Answer:
        found = self._asked("GET", address)
        assert found.status in (200, 204), (address, found.status, found.page[-2000:])
        return found

    def send(self, address: str, form: Mapping[str, str], *, token: str) -> Answer:
        return self._asked("POST", address, urlencode({**form, "csrfmiddlewaretoken": token}))

    def _asked(self, method: str, address: str, body: str | None = None) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        link = HTTPConnection(ports.LOOPBACK, self._port, timeout=PATIENCE_S)
        try:
            link.request(method, address, body, headers)
            response = link.getresponse()
            content = response.read()
        finally:
            link.close()
        seconds = time.perf_counter() - began
        for line in response.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: one.value for name, one in SimpleCookie(line).items()}
        return Answer(
            status=response.status,
            page=content.decode(),
            seconds=seconds,
            cpu_ms=float(response.headers.get(CPU_MS, 0)),
            queries=int(response.headers.get(QUERIES, 0)),
            size=len(content),
            location=response.headers.get("Location", ""),
        )


@contextmanager
def open_site(place: Place) -> Iterator[int]:
    """Serve the site as `make run` does, on this run's database; yields its port."""
    port = ports.first_free(range(8600, 8700))
    quiet = ("--access-logfile", os.devnull, "--log-level", "warning")
    with place.start(*services.web(port=port).arguments, *quiet):
        until(lambda: ports.answers(port), within_s=60, what="the web server")
        yield port

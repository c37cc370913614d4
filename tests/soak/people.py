"""People as robots: they log in over HTTP, read the desk's pages and send its forms."""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections.abc import Callable

from tests.soak.browser import Away, Browser, Form, Page
from tests.soak.robots import Robot

PASSWORD = "only for this soak"
REVIEW = re.compile(r'href="(/reviews/[0-9a-f-]{36}/)"')
EXECUTION = re.compile(r"/executions/([0-9a-f-]{36})/")
KEY = re.compile(r"<code>([0-9a-f]{64})</code>")
AT_ONCE = 6  # reviews a person opens before looking at the list again
REJECTS = 0.08
# Longer than anything is frozen: what has not happened by then will not happen any more.
DOUBT_PATIENCE_S = 75.0
SAYS = {302: "decided", 409: "came too late", 422: "was refused"}


class Person(Robot):
    """Somebody with a login; `saw` tests if the outside world knows an idempotency key."""

    def __init__(self, name: str, *, base: str, seed: int, pace_s: float) -> None:
        self.rng = random.Random(f"{seed}:{name}")
        super().__init__(name, pause_s=lambda: self.rng.uniform(0.5, 1.5) * pace_s)
        self.browser = Browser(base)

    def act(self) -> None:
        try:
            self.work()
        except Away:
            self.counts["site away"] += 1

    def work(self) -> None:
        """Do what this person came for; raises Away."""
        raise NotImplementedError

    def open(self, path: str) -> Page:
        """Return a page, having logged in where that is needed."""
        page = self.browser.get(path)
        if page.status == 302 and "/login/" in page.goes_to:
            self._log_in()
            page = self.browser.get(path)
        assert page.status in (200, 404), f"{path}: {page.status}\n{page.text[:2000]}"
        return page

    def _log_in(self) -> None:
        form = self.browser.get("/login/").forms()[0]
        fields = {**form.fields, "username": self.name, "password": PASSWORD}
        page = self.browser.post("/login/", fields)
        assert page.status == 302, f"{self.name} cannot log in: {page.status}"
        self.counts["logged in"] += 1


class Reviewer(Person):
    """Approves most of what waits, rejects some, and finds out before settling a doubt."""

    def __init__(
        self, name: str, *, base: str, seed: int, pace_s: float, saw: Callable[[str], bool]
    ) -> None:
        super().__init__(name, base=base, seed=seed, pace_s=pace_s)
        self._saw = saw
        self._doubts: dict[str, float] = {}

    def work(self) -> None:
        waiting, _, _ = self.open("/reviews/").text.partition("You have voted")
        paths = sorted(set(REVIEW.findall(waiting)))
        for path in self.rng.sample(paths, min(len(paths), AT_ONCE)):
            self._review(path)

    def _review(self, path: str) -> None:
        page = self.open(path)
        for form in page.forms():
            if form.action.endswith("/settle/"):
                return self._settle(path, page, form)
        wanted = "reject" if self.rng.random() < REJECTS else "approve"
        for form in page.forms():
            if form.fields.get("decision") == wanted:
                return self._send(form, reason="" if wanted == "approve" else "Not like this.")
        self.counts["nothing to decide any more"] += 1
        return None

    def _settle(self, path: str, page: Page, form: Form) -> None:
        since = self._doubts.setdefault(path, time.monotonic())
        key = KEY.search(page.text)
        assert key, f"{path} tells no key"
        if self._saw(key[1]):
            verdict = "happened"
        elif time.monotonic() - since < DOUBT_PATIENCE_S:
            return
        else:  # all robots come to the same verdict
            verdict = ("run", "drop")[hashlib.sha256(path.encode()).digest()[0] % 2]
        if verdict in form.choices:
            self._send(form, verdict=verdict, reason="Looked it up outside.")

    def _send(self, form: Form, **more: str) -> None:
        page = self.browser.post(form.action, {**form.fields, **more})
        assert page.status in SAYS, f"{form.action}: {page.status}\n{page.text[:2000]}"
        self.counts[SAYS[page.status]] += 1
        if page.status == 302:
            self.counts[more.get("verdict") or form.fields["decision"]] += 1


class Operator(Person):
    """Launches by the form, sending it again after every failure, and looks at the story."""

    def __init__(
        self, name: str, *, base: str, seed: int, pace_s: float, accepted: Callable[[str], None]
    ) -> None:
        super().__init__(name, base=base, seed=seed, pace_s=pace_s)
        self._accepted = accepted
        self._unsent: dict[str, str] | None = None

    def work(self) -> None:
        address = "/executions/launch/?agent=customer_record_steward"
        page = self.open(address)
        form = next(form for form in page.forms() if "key" in form.fields)
        message = json.dumps({"message_id": f"M-{self.rng.randint(2001, 2006)}"})
        # what was sent and never answered goes out again under its own key
        self._unsent = self._unsent or {"input_data": message, "key": form.fields["key"]}
        sent = self.browser.post(address, {**form.fields, **self._unsent})
        self._unsent = None
        found = EXECUTION.search(sent.goes_to)
        assert found, f"{address}: {sent.status} {sent.goes_to}\n{sent.text[:2000]}"
        self._accepted(found[1])
        self.counts["launched"] += 1
        self.open(found[0])

"""Buttons of the desk, pressed by people in browsers of their own, at the same moment."""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.urls import reverse

from agentops.accounts.models import User
from executions.models import AgentReview
from tests.executions import desk
from tests.support.browsing import Browser
from tests.support.racing import Racers, Work

QUEUED_TURNS = 4
AT = r" at (?:.{0,20} )?\d\d:\d\d:\d\d, just now\."
"""How the desk says when."""


@dataclass(frozen=True)
class Answer:
    """What a press was answered with: the words of the page, without its markup."""

    status: int
    words: str
    went_to: str = ""


@dataclass(frozen=True)
class Person:
    """A person at their browser, with a page open; `named` as the desk names them."""

    user: User
    browser: Browser

    @property
    def named(self) -> str:
        return str(self.user)


Press = Callable[[Person, AgentReview], Answer]


def at_browser(user: User) -> Person:
    browser = Browser(user)
    browser.load(reverse("you"))  # a page with a form, and so with its token
    return Person(user, browser)


def press(person: Person, address: str, fields: dict[str, object]) -> Answer:
    status, page = person.browser.send(address, fields)
    return Answer(status, words_of(page), person.browser.went_to)


def words_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


def found_in(answer: Answer, pattern: str) -> bool:
    return re.search(pattern, answer.words) is not None


def decides(person: Person, review: AgentReview, *, says: str, then: str = "again") -> Answer:
    form = {**desk.form(review, says, f"{person.named} had a reason"), "then": then}
    return press(person, desk.url(review, "decide"), dict(form))


approves: Press = partial(decides, says="approve")
rejects: Press = partial(decides, says="reject")
stops: Press = partial(decides, says="reject", then="stop")


def asks(person: Person, review: AgentReview) -> Answer:
    form = {"question": f"{person.named} asks why", "seen_digest": review.input_digest}
    return press(person, desk.url(review, "ask"), dict(form))


def cancels(person: Person, review: AgentReview) -> Answer:
    return press(person, desk.url(review, "cancel"), {"reason": f"{person.named} had enough"})


def withdraws(person: Person, review: AgentReview) -> Answer:
    return press(person, desk.url(review, "withdraw"), {"reason": "too quick"})


def edits(person: Person, review: AgentReview) -> Answer:
    changed = {**review.call.tool_input, "body": f"As {person.named} puts it."}
    fields = {"step": "confirm", "arguments": json.dumps(changed), "reason": "Shorter."}
    return press(person, desk.url(review, "edit"), {**fields, "seen_digest": review.input_digest})


def approves_together(person: Person, review: AgentReview) -> Answer:
    address = reverse("reviews-together", args=[review.tool_name])
    return press(person, address, {"seen": [f"{review.pk}:{review.input_digest}"]})


def claims(person: Person, review: AgentReview) -> Answer:
    """Press the button and read the page it leads to."""
    answer = press(person, desk.url(review, "claim"), {})
    return Answer(answer.status, words_of(person.browser.load(answer.went_to)))


def settles(person: Person, review: AgentReview, *, verdict: str) -> Answer:
    form = {"verdict": verdict, "seen_digest": review.input_digest, "reason": "I looked."}
    return press(person, desk.url(review, "settle"), dict(form))


def pressing(move: Press, person: Person, review: AgentReview) -> Work:
    return partial(move, person, review)


def meet(
    racers: Racers, review: AgentReview, *works: Work, turn: int, rng: random.Random
) -> list[Answer]:
    """Let all happen at once; return what each came to.

    First queued behind the execution's row, in either order in turn: then both orders are sure to
    be seen. From the fifth turn on wherever they meet.
    """
    if turn < QUEUED_TURNS:
        places = range(len(works)) if turn % 2 else range(len(works))[::-1]
        return racers.in_turn(review.execution_id, *works, places=places)
    return racers.race(review.execution_id, *works, rng=rng)

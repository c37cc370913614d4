"""The review desk when much waits, beside a long history: real gunicorn, real HTTP, real logins.

Each round opens every page once, so that all pages see the same machine, and one that hardly asks
anything, to compare with. Then four people do the same at once.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from bench import history, open_reviews
from bench.place import Place
from bench.table import times_ms
from bench.website import Answer, Visitor, open_site
from executions.desk.counts import JUST_NOW
from executions.desk.order import most_urgent_first
from executions.desk.queue import SHOWN
from executions.models import AgentExecution, AgentReview
from executions.models.review import ReviewQuerySet
from executions.pages.waiting import waiting_for

PLAIN = "your settings"
DECIDED = {"approve, and what follows": "approve", "reject, and what follows": "reject"}
METRICS = {"metrics of 24 hours": "24h", "metrics of 30 days": "30d"}

Answers = dict[str, list[Answer]]


def measure(
    place: Place, *, executions: int, reviews: int, times: int, people: int
) -> dict[str, dict[str, Any]]:
    """Fill, open everything so often, alone and several at once; return the figures by page."""
    history.check_room(place, executions)
    with place.server.connect_as_admin(database="agentops") as conn:
        history.fill_quickly(conn, executions=executions, unfinished=0)
        open_reviews.fill(conn, reviews=reviews)
        conn.execute("VACUUM ANALYZE")
    columns = visit(place, times=times, people=people)
    connection.close()
    return columns


def visit(place: Place, *, times: int, people: int) -> dict[str, dict[str, Any]]:
    """Open everything on a filled database. Decides some reviews on the way."""
    pages = addresses()
    with open_site(place) as port:
        visitors = [_logged_in(port, name) for name in ("rita", *["omar"] * (people - 1))]
        _rounds(visitors[0], pages, 1)  # what is read for the first time is not counted
        alone = _rounds(visitors[0], pages, times)
        beside = _at_once(visitors, pages, -(-times // people))
        alone |= _metrics(visitors[0]) | _decisions(visitors[0], times)
    return {name: _figures(answers, beside[name]) for name, answers in alone.items()}


def addresses() -> dict[str, list[str]]:
    """Return what is opened, by its name in the table; a round takes the next of each list."""
    long = AgentExecution.objects.filter(step_count=open_reviews.LONG).get()
    waiting = AgentReview.objects.open()
    executions = reverse("admin:executions_agentexecution_changelist")
    return {
        PLAIN: [reverse("you")],
        **_lists(),
        "alike ones together": [reverse("reviews-together", args=["update_customer_record"])],
        "a letter": _items(waiting.filter(kind="approval", tool_name="send_email")),
        "a record change": _items(waiting.filter(tool_name="update_customer_record")),
        "a report": _items(waiting.filter(tool_name="generate_compliance_document")),
        "a filing": _items(waiting.filter(tool_name="submit_to_regulator")),
        "a doubt": _items(waiting.filter(kind="doubt")),
        "a letter after 200 steps": _items(waiting.filter(execution=long)),
        "a letter's form": _items(waiting.filter(kind="approval", tool_name="send_email"), "-edit"),
        f"story of {open_reviews.LONG} steps": [reverse("execution", args=[long.pk])],
        "executions": [executions],
        "executions, waiting": [f"{executions}?status__exact=awaiting_review"],
    }


def _lists() -> dict[str, list[str]]:
    """Return the list as it is, narrowed in every way, its second page, and what it polls."""
    queue, rita = reverse("reviews"), open_reviews.person("rita")
    ordered = most_urgent_first(waiting_for(rita), timezone.now()).values_list("pk", flat=True)
    page = list(ordered[:SHOWN])
    narrowed = {
        "of a tool": {"tool": "update_customer_record"},
        "of an agent": {"agent": "customer_record_steward"},
        "of a customer": {"customer": "C-200007"},
        "high risk": {"risk": "high"},
        "mine": {"who": "mine"},
        "unclaimed": {"who": "unclaimed"},
        "second votes": {"votes": "second"},
        "in doubt": {"kind": "doubt"},
        "words searched": {"q": "harbour road"},
        "an id searched": {"q": str(page[-1])[:8]},
        "page 2": {"after": str(page[-1])},
    }
    since = {"since": (timezone.now() + JUST_NOW).isoformat()}  # after all that was filled
    return {
        "queue": [queue],
        **{f"queue, {name}": [f"{queue}?{urlencode(one)}"] for name, one in narrowed.items()},
        "… polled: no news": [f"{reverse('reviews-news')}?{urlencode(since)}"],
        "… polled: the count": [f"{reverse('reviews-waiting')}?shown={ordered.count()}"],
    }


def _items(reviews: ReviewQuerySet, verb: str = "") -> list[str]:
    found = reviews.order_by("expires_at", "pk").values_list("pk", flat=True)[:20]
    return [reverse(f"review{verb}", args=[pk]) for pk in found]


def _logged_in(port: int, name: str) -> Visitor:
    visitor = Visitor(port)
    visitor.log_in(name, open_reviews.PASSWORD)
    return visitor


def _rounds(visitor: Visitor, pages: dict[str, list[str]], times: int) -> Answers:
    found: Answers = defaultdict(list)
    for number in range(times):
        for name, listed in pages.items():
            found[name].append(visitor.open(listed[number % len(listed)]))
    return found


def _at_once(people: list[Visitor], pages: dict[str, list[str]], times: int) -> Answers:
    """Let all open everything at the same time, each beginning with another page."""
    names = list(pages)
    found: Answers = defaultdict(list)
    with ThreadPoolExecutor(len(people)) as pool:
        works = []
        for number, one in enumerate(people):
            first = number * len(names) // len(people)
            turned = {name: pages[name] for name in names[first:] + names[:first]}
            works.append(pool.submit(_rounds, one, turned, times))
        for work in works:
            for name, answers in work.result().items():
                found[name] += answers
    return found


def _metrics(visitor: Visitor) -> Answers:
    """Open each window once, then again, when its figures are kept for a minute."""
    found: Answers = {}
    for name, window in METRICS.items():
        address = f"{reverse('metrics')}?window={window}"
        first, *later = (visitor.open(address) for _ in range(6))
        found |= {f"{name}, first": [first], f"{name}, again": later}
    return found


def _decisions(visitor: Visitor, times: int) -> Answers:
    """Decide letters that one vote of hers decides, those first that nobody opened otherwise."""
    letters = AgentReview.objects.open().filter(tool_name="send_email", kind="approval")
    mine = letters.exclude(execution__launched_by=open_reviews.person("rita"))
    chosen = mine.order_by("-expires_at", "pk").iterator()
    return {
        name: [_decided(visitor, next(chosen), decision) for _ in range(times)]
        for name, decision in DECIDED.items()
    }


def _decided(visitor: Visitor, review: AgentReview, decision: str) -> Answer:
    """Open a review, decide it, and follow where that leads; the opening is not counted."""
    token = visitor.open(reverse("review", args=[review.pk])).token
    form = {"decision": decision, "seen_digest": review.input_digest, "reason": "As it says."}
    sent = visitor.send(reverse("review-decide", args=[review.pk]), form, token=token)
    assert sent.status == 302, (sent.status, sent.page[-2000:])
    return visitor.open(sent.location).after(sent)


def _figures(alone: list[Answer], beside: list[Answer]) -> dict[str, Any]:
    together = times_ms([one.seconds for one in beside]) if beside else {}
    return {
        **times_ms([one.seconds for one in alone]),
        **{f"together_{name}": value for name, value in together.items()},
        "cpu_ms": median(one.cpu_ms for one in alone),
        "queries": max(one.queries for one in alone),
        "kilobytes": max(one.size for one in alone) / 1000,
    }

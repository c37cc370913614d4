"""What narrows the list of reviews: read from an address, kept in it, turned into conditions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, TextField
from django.db.models.functions import Cast, Now
from django.db.models.lookups import IContains, StartsWith
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from agentops.accounts.models import User
from executions.core.states import ReviewKind
from executions.models import AgentReviewVote
from executions.models.review import RISKS, ReviewQuerySet
from executions.pages.rights import decidable_tools
from tools.models import Customer

LONGEST = 200
PIECE_OF_ID = re.compile(r"[0-9a-f-]{4,36}", re.IGNORECASE)

FREE = Q(claimed_until=None) | Q(claimed_until__lte=Now())
"""Reviews that nobody is on."""

VIEWS: dict[str, tuple[str, ...]] = {
    "who": ("mine", "unclaimed"),
    "votes": ("second",),
    "kind": ("doubt",),
    "due": ("overdue",),
}
"""What the tabs choose, by the name it has in an address, with its values."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Each is empty or narrows the list; all together. `q` is looked for everywhere."""

    q: str = ""
    tool: str = ""
    agent: str = ""
    risk: str = ""
    customer: str = ""
    who: str = ""
    votes: str = ""
    kind: str = ""
    due: str = ""

    def given(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}

    @cached_property
    def query(self) -> str:
        """Return them as an address has them after its `?`."""
        return urlencode(self.given())

    @cached_property
    def trail(self) -> str:
        """Return what the address of a review carries, so that one comes back to this list."""
        return f"?{urlencode({'from': self.query})}" if self.query else ""

    @property
    def end_of_list(self) -> str:
        """Return the address that tells that the list has been gone through."""
        return f"{reverse('reviews')}?{urlencode({**self.given(), 'end': '1'})}"

    def but(self, **values: str) -> Filters:
        return replace(self, **values)

    def plain(self) -> Filters:
        """Return them without what a tab chooses."""
        return replace(self, **dict.fromkeys(VIEWS, ""))

    def view(self) -> Filters:
        """Return only what a tab chooses."""
        return Filters(**{name: getattr(self, name) for name in VIEWS})

    def condition(self, person: User) -> Q:
        """Return what a review must be to fit all of them."""
        found = Q()
        for name, value in self.given().items():
            found &= _CONDITIONS[name](value, person)
        return found

    def narrow(self, reviews: ReviewQuerySet, person: User) -> ReviewQuerySet:
        return reviews.filter(self.condition(person))


def read(data: Mapping[str, str], person: User) -> tuple[Filters, list[str]]:
    """Return the filters an address names; what it gets wrong is left out, and told in words."""
    known: dict[str, tuple[str, ...]] = {
        **VIEWS,
        "risk": RISKS,
        "tool": tuple(sorted(decidable_tools(person))),
    }
    found, problems = {}, []
    for name in Filters.__dataclass_fields__:
        value = data.get(name, "").strip()
        if not value:
            continue
        if problem := _problem(name, value, known.get(name)):
            problems.append(problem)
        else:
            found[name] = value
    return Filters(**found), problems


def trail_of(request: HttpRequest, person: User) -> Filters:
    """Return the filters of the list from which the person came to this page."""
    return read(QueryDict(request.GET.get("from", "")), person)[0]


def _problem(name: str, value: str, known: tuple[str, ...] | None) -> str:
    if "\x00" in value or len(value) > LONGEST:
        return f"What was given for “{name}” is longer than {LONGEST} characters or no text."
    if known is not None and value not in known:
        told = " or ".join(known) or "nothing, because you decide on no tool"
        return f"“{value}” is no value for “{name}”; there is {told}."
    return ""


def _who(value: str, person: User) -> Q:
    return Q(claimed_by=person, claimed_until__gt=Now()) if value == "mine" else FREE


def _second_vote(_: str, __: User) -> Q:
    approved = AgentReviewVote.objects.filter(review=OuterRef("pk"), vote="approve")
    return Q(required_votes__gt=1) & Q(Exists(approved))


def _text(value: str, _: User) -> Q:
    """Find an id's beginning, a customer by id or name, or what stands in the arguments."""
    escaped = json.dumps(value, ensure_ascii=False)[1:-1]  # as it stands in JSON
    found = Q(IContains(Cast("call__tool_input", TextField()), escaped))
    named = Customer.objects.filter(name__icontains=value).values("pk")
    found |= Q(customer_id__in=named) | Q(customer_id__iexact=value)
    if PIECE_OF_ID.fullmatch(value):
        for key in ("pk", "call_id", "execution_id"):
            found |= Q(StartsWith(Cast(key, TextField()), value.lower()))
    return found


_CONDITIONS: dict[str, Callable[[str, User], Q]] = {
    "q": _text,
    "tool": lambda value, _: Q(tool_name=value),
    "agent": lambda value, _: Q(execution__agent_type=value),
    "risk": lambda value, _: Q(risk=value),
    "customer": lambda value, _: Q(customer_id=value),
    "who": _who,
    "votes": _second_vote,
    "kind": lambda _, __: Q(kind=ReviewKind.DOUBT),
    "due": lambda _, __: Q(expires_at__lte=Now()),
}

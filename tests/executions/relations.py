"""One desk seen by everybody: each person with a role, or with a part in what lies there."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db.models.functions import Now

from agentops.accounts.demonstration import make_logins
from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tests.support.addresses import DOCUMENT, known_by

PASSWORD = "a password for tests"


class Relations:
    """`people`: who they are by what they are to it. `voted` approved the newest version of a
    letter that needs two, which `edited` made out of what `launched` had launched.

    The others are of the same execution's launcher: `doubt` hides how it ended; `undoable` was
    approved by `voted` and still waits; `alike` may be approved with others.
    """

    def __init__(self) -> None:
        desk.load_sample_data()
        desk.report()
        self.people = _people()
        of = {"launched_by": self.people["launched"]}
        first = desk.proposed(votes=2, **of)
        self.newest = operations.edit(
            review_id=first.pk,
            person=self._one("edited"),
            arguments={
                **desk.LETTER,
                "subject": "Edited",
                "attach_document_ids": [DOCUMENT],
            },
            seen_digest=first.input_digest,
        )
        factories.vote(self.newest, self._one("voted"))
        self.doubt = desk.in_doubt(self._one("voted"), **of)
        self.undoable = desk.proposed(**of)
        factories.change(self.undoable, effective_at=Now() + timedelta(hours=1))
        factories.approve(self.undoable, self._one("voted"))
        self.alike = desk.proposed(risk="low", **of)
        reviews = (self.newest, self.doubt, self.undoable)
        self._known = {review: known_by(review) for review in reviews}

    def _one(self, name: str) -> User:
        person = self.people[name]
        assert person is not None
        return person

    def of(self, name: str) -> AgentReview:
        """Return the review that an address of this name is asked about."""
        about = {
            "review-settle": self.doubt,
            "review-withdraw": self.undoable,
            "review-outcome": self.undoable,
        }
        return about.get(name, self.newest)

    def known(self, name: str) -> dict[str, object]:
        return self._known[self.of(name)]

    def form(self, name: str, choice: str) -> dict[str, Any]:
        """Return what is sent there: a form that does what it is for, when the person may."""
        review = self.of(name)
        voted = desk.form(review, choice, "because")
        other = json.dumps({**desk.LETTER, "subject": "Edited once more"})
        place = {"place": "tool:send_email", "reason": "because", "verb": "pause"}
        forms: dict[str, dict[str, Any]] = {
            "login": {"username": "free", "password": PASSWORD},
            "reviews-together": {"seen": f"{self.alike.pk}:{self.alike.input_digest}"},
            "review-decide": voted,
            "review-ask": {**voted, "question": "why?"},
            "review-settle": {**voted, "verdict": choice},
            "review-cancel": {"reason": "because"},
            "review-take-over": {"reason": "because"},
            "review-edit": {**voted, "step": "confirm", "arguments": other},
            "execution-cancel": {"reason": "because"},
            "launch": {"agent": "customer_record_steward"},
            "switches": {**place, "step": "confirm"},
            "switch-lift": {**place, "seen": "2026-01-01", "next": "/you/"},
        }
        return forms.get(name, {})


def _people() -> dict[str, User | None]:
    """Everybody, with the rights of the groups that a demonstration makes."""
    make_logins(reset=False)
    found: dict[str, User | None] = {
        "nobody": None,
        "no-role": _staff("norole"),
        "another": factories.person("another", may=["approve_update_*"]),
        **{name: _staff(name, "Reviewers") for name in ("launched", "edited", "voted", "free")},
        "operator": _staff("operator", "Operations"),
        "super": factories.person("super", is_superuser=True, is_staff=True),
        "service": factories.system(),
    }
    return found


def _staff(name: str, *groups: str) -> User:
    person = factories.person(name, is_staff=True)
    person.groups.set(Group.objects.filter(name__in=groups))
    person.set_password(PASSWORD)
    person.save()
    return person

"""What a reviewer reads in the mail: that something waits, and where. Never what it says.

No arguments, no customer, nothing the LLM wrote: mail is read by servers and scanners on its way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone

from agentops.accounts.models import User
from executions.core.states import ReviewKind
from executions.models import AgentNotification, AgentReview

FOOT = (
    "This message holds no details, and opening a link decides nothing.\n"
    "You get it because you have the right to decide on these tools.\n"
)


def write(person: User, about: Sequence[AgentNotification], connection: Any = None) -> EmailMessage:
    """Return the letter that tells one person of one urgent review, or of several others."""
    with timezone.override(person.zone or timezone.get_default_timezone()):
        if len(about) == 1 and about[0].is_urgent:
            subject, body = _urgent(about[0].review)
        else:
            subject, body = _digest([one.review for one in about])
    ids = ",".join(sorted(str(one.pk) for one in about))
    key = sha256(f"{person.pk} {ids}".encode()).hexdigest()[:40]
    headers = {"Message-ID": f"<{key}@agentops.invalid>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(
        subject, f"{body}\n{FOOT}", to=[person.email], headers=headers, connection=connection
    )


def link(review: AgentReview) -> str:
    return f"{settings.AGENTOPS_SITE_URL}{reverse('review', args=[review.pk])}"


def _urgent(review: AgentReview) -> tuple[str, str]:
    tool = _spaced(review.tool_name)
    if review.kind == ReviewKind.DOUBT:
        subject = f"In doubt: did it happen? ({tool})"
        told = f"A call of {tool} started, and nobody knows how it ended."
        return subject, f"{told}\nFind out, then settle it:\n\n{link(review)}\n"
    told = f"An agent proposes something of high risk: {tool}{_due(review)}."
    return f"High risk: {tool} waits for you", f"{told}\nLook at it and decide:\n\n{link(review)}\n"


def _digest(reviews: Sequence[AgentReview]) -> tuple[str, str]:
    count = Counter(_spaced(review.tool_name) for review in reviews)
    waits = "1 action waits" if len(reviews) == 1 else f"{len(reviews)} actions wait"
    lines = "".join(f"  {n} x {tool}\n" for tool, n in sorted(count.items()))
    soonest = min((one for one in reviews if one.expires_at), key=_expiry, default=None)
    due = f"The first is{_due(soonest).removeprefix(',')}.\n" if soonest else ""
    desk = f"{settings.AGENTOPS_SITE_URL}{reverse('reviews')}"
    return f"{waits} for you", f"{waits} for your decision:\n\n{lines}\n{due}\n{desk}\n"


def _expiry(review: AgentReview) -> Any:
    return review.expires_at


def _due(review: AgentReview) -> str:
    if review.expires_at is None:
        return ""
    return f", due {timezone.localtime(review.expires_at):%-d %B %Y, %H:%M %Z}"


def _spaced(tool_name: str) -> str:
    return tool_name.replace("_", " ")

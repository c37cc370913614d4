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
from executions.models.notification import ESCALATED, REMINDED
from executions.notifications.people import who_may_approve

FOOT = "This message holds no details, and opening a link decides nothing.\n"
WHY = "You get it because you have the right to decide on these tools.\n"
WHY_ESCALATED = "You get it because you are in the group that late reviews are escalated to.\n"
OTHERWISE = "What nobody decides in time expires: it is not done, and the agent is told.\n"


def write(person: User, about: Sequence[AgentNotification], connection: Any = None) -> EmailMessage:
    """Return the letter that tells one person of one review, or of several at the same stage."""
    stage = about[0].stage
    with timezone.override(person.zone or timezone.get_default_timezone()):
        subject, body = _words(about)
    foot = FOOT + (WHY_ESCALATED if stage == ESCALATED else WHY)
    ids = ",".join(sorted(str(one.pk) for one in about))
    key = sha256(f"{person.pk} {ids}".encode()).hexdigest()[:40]
    headers = {"Message-ID": f"<{key}@agentops.invalid>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(
        subject, f"{body}\n{foot}", to=[person.email], headers=headers, connection=connection
    )


def link(review: AgentReview) -> str:
    return f"{settings.AGENTOPS_SITE_URL}{reverse('review', args=[review.pk])}"


def _words(about: Sequence[AgentNotification]) -> tuple[str, str]:
    reviews = [one.review for one in about]
    if about[0].stage == REMINDED:
        return _reminder(reviews)
    if about[0].stage == ESCALATED:
        return _escalation(reviews)
    if len(about) == 1 and about[0].is_urgent:
        return _urgent(reviews[0])
    desk = f"{settings.AGENTOPS_SITE_URL}{reverse('reviews')}"
    body = _summary(reviews, "for your decision")
    return f"{_waiting(reviews)} for you", f"{body}\n{desk}\n"


def _urgent(review: AgentReview) -> tuple[str, str]:
    tool = _spaced(review.tool_name)
    if review.kind == ReviewKind.DOUBT:
        subject = f"In doubt: did it happen? ({tool})"
        told = f"A call of {tool} started, and nobody knows how it ended."
        return subject, f"{told}\nFind out, then settle it:\n\n{link(review)}\n"
    told = f"An agent proposes something of high risk: {tool}{_due(review)}."
    return f"High risk: {tool} waits for you", f"{told}\nLook at it and decide:\n\n{link(review)}\n"


def _reminder(reviews: Sequence[AgentReview]) -> tuple[str, str]:
    body = _summary(reviews, "for your decision, and time runs out")
    return f"Reminder: {_waiting(reviews)} for you", f"{body}{OTHERWISE}\n{_place(reviews)}\n"


def _escalation(reviews: Sequence[AgentReview]) -> tuple[str, str]:
    able = sorted({str(one) for review in reviews for one in who_may_approve(review)})
    who = f"Who may decide: {', '.join(able)}." if able else "Nobody has the right to decide now."
    body = _summary(reviews, "and nobody has decided yet")
    told = f"{body}{who}\n{OTHERWISE}\n{_place(reviews)}\n"
    return f"Escalated: {_waiting(reviews)} for a decision", told


def _summary(reviews: Sequence[AgentReview], says: str) -> str:
    """Return how many of which tool wait, and when the first of them is due."""
    count = Counter(_spaced(review.tool_name) for review in reviews)
    lines = "".join(f"  {n} x {tool}\n" for tool, n in sorted(count.items()))
    soonest = min((one for one in reviews if one.expires_at), key=_expiry, default=None)
    due = f"The first is{_due(soonest).removeprefix(',')}.\n" if soonest else ""
    return f"{_waiting(reviews)} {says}:\n\n{lines}\n{due}"


def _waiting(reviews: Sequence[AgentReview]) -> str:
    return "1 action waits" if len(reviews) == 1 else f"{len(reviews)} actions wait"


def _place(reviews: Sequence[AgentReview]) -> str:
    """Return the address of the one review, or of the list."""
    if len(reviews) == 1:
        return link(reviews[0])
    return f"{settings.AGENTOPS_SITE_URL}{reverse('reviews')}"


def _expiry(review: AgentReview) -> Any:
    return review.expires_at


def _due(review: AgentReview) -> str:
    if review.expires_at is None:
        return ""
    return f", due {timezone.localtime(review.expires_at):%-d %B %Y, %H:%M %Z}"


def _spaced(tool_name: str) -> str:
    return tool_name.replace("_", " ")

"""The outbox: what is due is sent, what fails is tried again later, what is decided is dropped.

A row is committed with its review by the database. Here it is claimed in one transaction and sent
after it: a sender that dies in between has only put the next try off. So a mail may come twice,
under the same Message-ID; it is never lost while somebody must be told.
"""

from __future__ import annotations

import logging
import smtplib
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from http.client import HTTPException
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import mail
from django.db.models import Case, DurationField, F, Q, QuerySet, Value, When
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.commits import commit
from executions.core import storable
from executions.core.states import ReviewStatus
from executions.models import AgentNotification
from executions.models.notification import CLOSED, ESCALATED, OPENED
from executions.notifications import letters, quiet, webhook
from executions.notifications.people import whom_to_tell

log = logging.getLogger(__name__)

AT_ONCE = 100
ROUND_S = 30.0  # a slow mail server must not hold other housekeeping up
HOOK_S = 15.0  # of it, at most, is the webhook's: mail is sent all the same
FIRST_WAIT_S, LONGEST_WAIT_S = 60, 3600
ERROR_CHARS = 500
# ValueError: an address that is none; HTTPException: an answer that is no HTTP
FAILURES = (OSError, smtplib.SMTPException, HTTPException, ValueError)


def deliver() -> dict[str, int]:
    """Tell whom must be told of what is due now; never raises for what a server did."""
    began = time.monotonic()
    due = _claimed()
    found = {"due": len(due), "sent": 0, "failed": 0}
    if not due:
        return found
    for one in due if webhook.is_wanted() else ():
        if time.monotonic() < began + HOOK_S:
            _attempt(found, [one], lambda one=one: webhook.send(one))
    connection = mail.get_connection(timeout=settings.EMAIL_TIMEOUT)
    try:
        connection.open()
    except FAILURES as error:
        _failed(due, error)
        return {**found, "failed": len(due)}
    try:
        for person, about in _by_person(due):
            if time.monotonic() > began + ROUND_S:
                break
            letter = letters.write(person, about, connection)
            if _attempt(found, about, letter.send):
                _mark_told(about, person)
    finally:
        connection.close()
    _close(due)
    return found


def _claimed() -> list[AgentNotification]:
    """Take what is due, and put its next try off in the same transaction."""
    now = AgentNotification.objects.filter(closed_at=None, due_at__lte=Now())
    patience = timedelta(minutes=settings.AGENTOPS_DIGEST_MIN)
    urgent, patient = Q(is_urgent=True) | ~Q(stage=OPENED), Q(created_at__lte=Now() - patience)
    with commit("notify"):
        # once one has waited long enough, all that wait go into the same letter
        gathered = now.filter(is_urgent=False, stage=OPENED)
        wanted = now if gathered.filter(patient).exists() else now.filter(urgent)
        rows = wanted.select_for_update(skip_locked=True, of=("self",)).order_by("due_at")
        ids = list(rows.values_list("pk", flat=True)[:AT_ONCE])
        claimed = AgentNotification.objects.filter(pk__in=ids)
        claimed.update(attempts=F("attempts") + 1, due_at=Now() + _wait())
    _dropped(claimed)
    return list(
        claimed.filter(closed_at=None).select_related(
            "review__execution", "review__call", "review__edited_by"
        )
    )


def _wait() -> Case:
    """Return how long the next try waits: twice as long each time, an hour at most."""
    steps = [
        When(attempts=n, then=Value(timedelta(seconds=min(FIRST_WAIT_S * 2**n, LONGEST_WAIT_S))))
        for n in range(6)
    ]
    longest = Value(timedelta(seconds=LONGEST_WAIT_S))
    return Case(*steps, default=longest, output_field=DurationField())


def _dropped(claimed: QuerySet[AgentNotification]) -> None:
    """Close what nobody has to be told of any more, because it was decided or expired."""
    late = ~Q(stage=CLOSED) & ~Q(review__status=ReviewStatus.OPEN)
    claimed.filter(late if webhook.is_wanted() else late | Q(stage=CLOSED)).update(closed_at=Now())


def _by_person(
    due: Sequence[AgentNotification],
) -> Iterable[tuple[User, list[AgentNotification]]]:
    """Return the letters to write: one per urgent review that opened, and for the rest one per
    person and stage. What failed is not mixed with what is new: it is the same letter again."""
    gathered: dict[tuple[User, str, int], list[AgentNotification]] = {}
    for one in due:
        for person in whom_to_tell(one):
            if str(person.pk) in one.told or quiet.is_quiet(one, person):
                continue
            if one.is_urgent and one.stage == OPENED:
                yield person, [one]
            else:
                failures = one.attempts if one.error else 0
                gathered.setdefault((person, one.stage, failures), []).append(one)
    for (person, *_), about in gathered.items():
        yield person, about


def _attempt(found: dict[str, int], about: Sequence[AgentNotification], send: Any) -> bool:
    try:
        send()
    except FAILURES as error:
        found["failed"] += 1
        _failed(about, error)
        return False
    found["sent"] += 1
    return True


def _failed(about: Sequence[AgentNotification], error: Exception) -> None:
    told = storable.text(f"{type(error).__name__}: {error}", limit=ERROR_CHARS)
    log.warning("%d notifications were not sent: %s", len(about), told)
    AgentNotification.objects.filter(pk__in=_ids(about)).update(error=told)


def _mark_told(about: Sequence[AgentNotification], person: User) -> None:
    """Write down at once who got it: should this process die, nobody else is told twice."""
    for one in about:
        one.tell(str(person.pk))


def _close(due: Sequence[AgentNotification]) -> None:
    """Close what everybody has been told of."""
    done = [
        one
        for one in due
        if all(str(person.pk) in one.told for person in whom_to_tell(one)) and webhook.is_done(one)
    ]
    AgentNotification.objects.filter(pk__in=_ids(done)).update(closed_at=Now(), error=None)
    in_vain = [one for one in done if one.stage == ESCALATED and not whom_to_tell(one)]
    if in_vain:
        log.error("%d late reviews are escalated to a group without anybody in it", len(in_vain))


def _ids(about: Sequence[AgentNotification]) -> list[UUID]:
    return [one.pk for one in about]

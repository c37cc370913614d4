"""What happened before to the customer and the recipients a call is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from executions.core.states import CallStatus, ReviewKind
from executions.models import AgentReview
from executions.models.review import ReviewQuerySet
from executions.pages.wording import Action, action

SHOWN = 5
MOST = 500
"""So many earlier ones are counted; there may be more."""
_HAPPENED = (CallStatus.SUCCEEDED, CallStatus.RUNNING, CallStatus.IN_DOUBT)


@dataclass(frozen=True, kw_only=True)
class Mails:
    """Mails that an address accepted earlier; `last` is when, None without any."""

    count: int
    last: datetime | None

    @property
    def is_most(self) -> bool:
        return self.count >= MOST


@dataclass(frozen=True, kw_only=True)
class Effect:
    """An effect of another call on the same customer."""

    review: AgentReview
    action: Action
    output: Any

    @property
    def at(self) -> datetime | None:
        return self.review.call.finished_at or self.review.call.started_at


def lately(review: AgentReview, customer_id: str | None) -> list[Effect]:
    """Return the latest effects on this customer over all executions, newest first: SHOWN of any
    tool, and SHOWN of this review's tool."""
    if not customer_id:
        return []
    others = _of(customer_id).exclude(call=review.call_id).order_by("-created_at")
    latest, alike = others[:SHOWN], others.filter(tool_name=review.tool_name)[:SHOWN]
    either = Q(pk__in=latest.values("pk")) | Q(pk__in=alike.values("pk"))
    rows = AgentReview.objects.filter(either).select_related("call").order_by("-created_at")
    return [_effect(one) for one in rows]


def mails_to(addresses: Sequence[str], customer_id: str | None) -> dict[str, Mails]:
    """Return what each address has had from us, by the address as it is given."""
    rows = _of(customer_id).filter(tool_name="send_email", call__status=CallStatus.SUCCEEDED)
    sent = rows.order_by("-created_at").values_list(
        "call__tool_output__accepted", "call__finished_at"
    )
    accepted = [
        (str(address).lower(), at)
        for had, at in sent[:MOST]
        if isinstance(had, list)
        for address in had
    ]
    found = {}
    for address in addresses:
        times = [at for one, at in accepted if one == address.lower()]
        found[address] = Mails(count=len(times), last=max(filter(None, times), default=None))
    return found


def _of(customer_id: str | None) -> ReviewQuerySet:
    """Return the approved reviews whose calls had an effect on this customer (None: on nobody on
    record), each call once."""
    return AgentReview.objects.filter(
        customer_id=customer_id,
        kind=ReviewKind.APPROVAL,
        call__review_id=F("pk"),
        call__status__in=_HAPPENED,
    )


def _effect(review: AgentReview) -> Effect:
    said = action(review.tool_name, review.call.tool_input)
    return Effect(review=review, action=said, output=review.call.tool_output)

"""What happened before to the customer and the recipients a call is about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Q

from executions.core.states import CallStatus, ReviewKind
from executions.models import AgentReview
from executions.models.review import ReviewQuerySet
from executions.pages.wording import Action, action
from tools.read_once import remembered_all

SHOWN = 5
MOST = 500
"""So many earlier ones are counted; there may be more."""
# Of a call in doubt that people settled as "it happened" nobody knows who took it: all whom it was
# to. It went when it started; it finished when somebody said so.
_MAILS = """
SELECT address, count(*), max(at)
  FROM unnest(%(addresses)s::text[]) AS address,
       LATERAL (SELECT CASE WHEN tool_output ? 'settled_by' THEN started_at
                            ELSE finished_at END AS at
                  FROM agent_tool_calls
                 WHERE tool_name = 'send_email' AND status = 'succeeded'
                   AND lower((tool_input -> 'to')::text)::jsonb ? address
                   AND (lower((tool_output -> 'accepted')::text)::jsonb ? address
                        OR tool_output ->> 'happened' = 'yes')
                 LIMIT %(most)s) AS mail
 GROUP BY address
"""
_HAPPENED = (CallStatus.SUCCEEDED, CallStatus.RUNNING, CallStatus.IN_DOUBT)


@dataclass(frozen=True, kw_only=True)
class Mails:
    """Mails that went to an address earlier: it accepted them, or people found out that they had
    gone. `last` is when, if it is known."""

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


def mails_to(addresses: Collection[str], *, most: int = MOST) -> dict[str, Mails]:
    """Return what each address has had from us, whoever it was about and as the address is given;
    `most` of each are counted, and of so many `last` is not told."""
    plain = {address: address.lower() for address in addresses}
    wanted = sorted({*plain.values()})
    had = remembered_all(("mails", most), wanted, lambda missing: _mails(missing, most))
    return {address: had[key] or Mails(count=0, last=None) for address, key in plain.items()}


def _mails(addresses: list[str], most: int) -> dict[str, Mails]:
    with connection.cursor() as cursor:
        cursor.execute(_MAILS, {"addresses": addresses, "most": most})
        return {
            address: Mails(count=count, last=last if count < most else None)
            for address, count, last in cursor
        }


def _of(customer_id: str) -> ReviewQuerySet:
    """Return the approved reviews whose calls had an effect on this customer, each call once."""
    return AgentReview.objects.filter(
        customer_id=customer_id,
        kind=ReviewKind.APPROVAL,
        call__review_id=F("pk"),
        call__status__in=_HAPPENED,
    )


def _effect(review: AgentReview) -> Effect:
    said = action(review.tool_name, review.call.tool_input)
    return Effect(review=review, action=said, output=review.call.tool_output)

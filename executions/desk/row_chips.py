"""What a row of the list says of its call beside the headline, read for a whole page at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from executions.core.states import ReviewKind
from executions.desk.ahead import wanted
from executions.desk.past import mails_to
from executions.models import AgentReview
from executions.pages.wording import Action
from tools import records


@dataclass(frozen=True)
class RowChip:
    """`tone` as in the stylesheet."""

    words: str
    tone: str
    icon: str = ""


LIVE, TEST = RowChip("LIVE", "solid"), RowChip("TEST", "")
CHANGED = RowChip("record changed since proposed", "warn", "warn")
NEW = RowChip("new recipient", "warn")


def row_chips(rows: Collection[tuple[AgentReview, Action]]) -> dict[UUID, list[RowChip]]:
    """Return each review's chips, by two statements at most: none where no call names anything."""
    keys = {review.pk: wanted(said, lambda listed: listed.record) for review, said in rows}
    states = records.states({key for key in keys.values() if key})
    to = {review.pk: wanted(said, lambda listed: listed.recipients) or () for review, said in rows}
    known = _known({address for addresses in to.values() for address in addresses})
    return {
        review.pk: _chips(
            review, states.get(keys[review.pk] or ("", "")), known.issuperset(to[review.pk])
        )
        for review, _ in rows
    }


def _chips(review: AgentReview, state: records.State | None, is_known: bool) -> list[RowChip]:
    """A call in doubt has begun: what it would begin with says nothing any more."""
    is_ahead = review.kind == ReviewKind.APPROVAL
    then = review.target_version
    has_changed = state is not None and then is not None and not state.is_at(then)
    chips = {
        LIVE: state is not None and state.is_live is True,
        TEST: state is not None and state.is_live is False,
        CHANGED: is_ahead and has_changed,
        NEW: is_ahead and not is_known,
    }
    return [chip for chip, is_so in chips.items() if is_so]


def _known(addresses: Collection[str]) -> set[str]:
    """Return those of these that have accepted a mail from us."""
    if not addresses:
        return set()
    return {address for address, had in mails_to(addresses, most=1).items() if had.count}

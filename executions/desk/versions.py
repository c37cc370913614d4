"""The versions of one call's review: what each showed, and which one counts now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from executions.core.states import ReviewStatus
from executions.desk.differences import Difference, differences
from executions.models import AgentReview


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """What became of the version a person was shown: `newer` counts now, and differs so."""

    older: AgentReview
    newer: AgentReview
    changes: list[Difference]


def shown_by(review: AgentReview) -> Any:
    """Return the arguments that this version put before people."""
    earlier = AgentReview.objects.filter(call=review.call_id, version__lte=review.version)
    edit = earlier.exclude(edited_input=None).order_by("-version").first()
    return edit.edited_input if edit else review.call.proposed_input


def newer_than(review: AgentReview) -> AgentReview | None:
    """Return the newest version of this call's review, unless it is this one."""
    newer = AgentReview.objects.filter(call=review.call_id, version__gt=review.version)
    return newer.select_related("edited_by").order_by("-version").first()


def replaced(review: AgentReview) -> Replaced | None:
    """Return what replaced this version, if people may decide on that now."""
    newer = newer_than(review)
    if newer is None or newer.status != ReviewStatus.OPEN:
        return None
    return Replaced(
        older=review, newer=newer, changes=differences(shown_by(review), shown_by(newer))
    )

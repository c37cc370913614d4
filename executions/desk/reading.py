"""Nobody approves what they have not opened: the server's side of the folds."""

from __future__ import annotations

from collections.abc import Collection

from executions.core.states import ReviewStatus
from executions.desk.parts import Part, parts_of
from executions.models import AgentReview
from executions.operations.refusals import Refusal
from executions.templatetags import words
from tools.registry import TOOLS

NAMED = 5


class Unread(Refusal):
    """The person has not opened a folded part of what they would approve."""


def check_read(review: AgentReview, *, said: str, seen_digest: str, read: Collection[str]) -> None:
    """Raise Unread for an approval without the boxes of what is folded and has to be read.

    What was decided meanwhile, or has other arguments by now, is left to whoever tells that.
    """
    call = review.call
    is_current = review.status == ReviewStatus.OPEN and seen_digest == call.input_digest
    if said not in ("approve", "run") or not is_current:
        return
    parts = parts_of(review.pk, TOOLS.get(review.tool_name), call.tool_input)
    if unread := [part for part in parts if part.must_read and part.box not in read]:
        raise Unread(f"You have not opened {_told(unread)}. Read it, then decide.")


def _told(parts: list[Part]) -> str:
    """Return "body, 3,204 characters, and findings 2 finding, 2,100 characters"."""
    named = [f"{part.label[:80]} ({part.extent})" for part in parts[:NAMED]]
    if len(parts) > NAMED:
        named.append(words.count(len(parts) - NAMED, "more part"))
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"

"""Where the figures of a call come from, for whoever decides on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from executions.core.figures import figures_of
from executions.core.origins import GOOD, Origin, Source, Traced, trace
from executions.desk.earlier import ANSWERS, Earlier
from executions.models import AgentReview, AgentToolCall
from executions.pages.story import Reviews
from executions.templatetags.show import named
from tools.registry import TOOLS

FIGURES = 400
"""So many figures are looked up."""
ALL_CHARS = 250_000
"""So many characters of all answers together are looked at, the latest first."""

GIVEN_CHARS, TITLE_CHARS = 60, 80
"""So much of what a call was given, and of a title, names it."""

_HEARD = ("ask", "reject", "drop", "happened")


@dataclass(frozen=True, kw_only=True)
class Origins:
    """`left_out` figures were not looked up. `is_partial`: not all that was read was looked at."""

    traced: list[Traced]
    left_out: int
    is_partial: bool
    answers: int = ANSWERS

    @property
    def outside(self) -> list[Traced]:
        return [one for one in self.traced if one.origin is Origin.OUTSIDE]

    @property
    def nowhere(self) -> list[Traced]:
        return [one for one in self.traced if one.origin is Origin.NOWHERE]

    @property
    def rest(self) -> list[Traced]:
        return [one for one in self.traced if one.origin in (*GOOD, Origin.FOUND)]


def origins_of(review: AgentReview, before: Earlier, reviews: Reviews) -> Origins:
    """Return where the figures of the review's call come from. `reviews` are the execution's, by
    call, with their votes."""
    call = review.call
    read, is_cut = _answers(before.read)
    launch, is_long = _launch(review.execution.input_data)
    figures = figures_of(call.tool_input)
    return Origins(
        traced=trace(figures[:FIGURES], [launch, *read, *_people(call, reviews)]),
        left_out=max(len(figures) - FIGURES, 0),
        is_partial=before.is_partial or is_cut or is_long,
    )


def _launch(given: Any) -> tuple[Source, bool]:
    """Return what the execution was launched with, and whether some of it was cut off."""
    text = json.dumps(given)
    is_cut = len(text) > ALL_CHARS
    value = text[:ALL_CHARS] if is_cut else given
    return Source(name="the launch\u2019s input", value=value, origin=Origin.INPUT), is_cut


def _answers(read: Sequence[tuple[AgentToolCall, str]]) -> tuple[list[Source], bool]:
    """Return what these calls answered, and whether some of it was cut off; the latest counts
    first."""
    found: list[Source] = []
    left = ALL_CHARS
    for call, text in reversed(read):
        if len(text) > left:
            return found[::-1], True
        left -= len(text)
        if call.proposed_input not in (None, call.tool_input):
            found.append(_edit(call, step=call.step_number))
        found.append(_answer(call, text))
    return found[::-1], False


def _answer(call: AgentToolCall, text: str) -> Source:
    """Return what one call answered; of one that is cut off, all is an outsider's if any is."""
    tool = TOOLS.get(call.tool_name)
    outside: tuple[str, ...] | None
    try:
        value = json.loads(text)
        outside = tool.outside_of(value) if tool else None
    except ValueError:
        value = text.replace("\\n", "\n").replace('\\"', '"')
        outside = () if tool and not tool.outside else None
    return Source(
        name=_named(call, value),
        value=value,
        step=call.step_number,
        outside=outside,
        given=call.tool_input,
        ref=call.pk,
    )


def _named(call: AgentToolCall, answer: Any) -> str:
    """Return which call it was: its tool, the short texts it was given, and the title of the one
    thing it answered with."""
    given = call.tool_input.values() if isinstance(call.tool_input, dict) else ()
    told = [one for one in given if isinstance(one, str) and len(one) <= GIVEN_CHARS]
    thing = next(iter(answer.values())) if isinstance(answer, dict) and len(answer) == 1 else None
    title = thing.get("title") if isinstance(thing, dict) else None
    titled = [f"“{title[:TITLE_CHARS]}”"] if isinstance(title, str) and title else []
    return " ".join([call.tool_name.replace("_", " "), *told[:2], *titled])


def _people(call: AgentToolCall, reviews: Reviews) -> list[Source]:
    """Return what people said to the agent before this call, and their edit of it."""
    said = [
        Source(name=f"{named(vote.voter)}\u2019s words", value=vote.reason, origin=Origin.PERSON)
        for group in reviews.values()
        for one in group
        for vote in one.votes.all()
        if vote.vote in _HEARD and vote.created_at <= call.called_at
    ]
    return said if call.proposed_input in (None, call.tool_input) else [*said, _edit(call)]


def _edit(call: AgentToolCall, step: int | None = None) -> Source:
    return Source(
        name="a person\u2019s edit",
        value=call.tool_input,
        but=call.proposed_input,
        origin=Origin.PERSON,
        step=step,
    )

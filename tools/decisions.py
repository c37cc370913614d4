"""What a tool tells its reviewers around a decision: what its calls' rows in the list say, usual
reasons against it, what the last look before an approval repeats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

USUAL_REASONS = (
    "The facts are wrong",
    "Wrong wording or form",
    "Another step must come first",
    "Not needed",
)
"""Offered to whoever rejects a call of a tool that names none of its own."""


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """`facts`, by label, stand in the confirmation: to whom, about what. `typed`: these words must
    be typed before it is sent (empty: nothing), for what nobody may approve by habit."""

    facts: Mapping[str, str] = field(default_factory=dict)
    typed: str = ""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What a call is looked at for, named from its parsed arguments alone: the desk reads what a
    whole page of them names in a statement each. Any may be left out.

    `record`: (kind, id) of the record the call relies on, its target as a rule; the row says when
    that is LIVE, and when it changed since the call was put before people. `tools.records.states`
    knows the kinds. `recipients`: addresses; the row says when one of them is new.
    `reads`: (kind, id) of what its preview looks at besides, of the kinds of `tools.records.load`.
    """

    record: Callable[[Any], tuple[str, str]] | None = None
    recipients: Callable[[Any], Sequence[str]] | None = None
    reads: Callable[[Any], Sequence[tuple[str, str]]] | None = None

"""What a tool tells its reviewers around a decision: usual reasons against it, what the last look
before an approval repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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

"""The gate's rule: may a proposed tool call run, or must people decide?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """Nobody needs to look."""


@dataclass(frozen=True)
class NeedsApproval:
    """`votes` distinct people must approve; `reason` tells them which rule asks for it."""

    votes: int
    reason: str


Verdict = Run | NeedsApproval


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A tool's approval rule with its outcome for one call's arguments.

    `mode` is always, never or when; `finding` is what a `when` rule said (None: nobody needed),
    `broken` that it raised. `least_votes` is the registry's floor for the always-gated tools.
    """

    mode: str
    votes: int = 1
    reason: str = ""
    finding: str | None = None
    broken: bool = False
    least_votes: int = 0


def verdict(rule: Rule) -> Verdict:
    """Return the verdict on one call. Whatever is unclear needs a person (fail closed)."""
    votes = max(rule.votes, rule.least_votes, 1)
    if rule.least_votes or rule.mode == "always":
        return NeedsApproval(votes, rule.reason or "This tool always needs a person.")
    if rule.mode == "never":
        return Run()
    if rule.broken or rule.mode != "when":
        return NeedsApproval(votes, "The approval rule could not be evaluated.")
    if rule.finding is None:
        return Run()
    return NeedsApproval(votes, rule.finding or "The approval rule asks for a person.")

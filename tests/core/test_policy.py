"""The gate fails closed: whatever is unclear needs a person."""

from __future__ import annotations

import pytest

from executions.core.policy import NeedsApproval, Rule, Run, verdict


def judged(**rule: object) -> object:
    return verdict(Rule(**rule))  # type: ignore[arg-type]


def test_a_tool_that_never_needs_anybody_runs() -> None:
    assert judged(mode="never") == Run()


def test_a_rule_that_finds_nothing_lets_it_run() -> None:
    assert judged(mode="when", finding=None) == Run()


def test_a_rules_finding_is_what_people_read() -> None:
    assert judged(mode="when", votes=2, finding="over 1000") == NeedsApproval(2, "over 1000")


@pytest.mark.parametrize(
    "rule",
    [
        {"mode": "always"},
        {"mode": "when", "broken": True},
        {"mode": "when", "finding": ""},
        {"mode": "when", "finding": False},
        {"mode": "sometimes"},
        {"mode": ""},
        {"mode": "never", "least_votes": 1},
        {"mode": "when", "finding": None, "least_votes": 1},
    ],
    ids=str,
)
def test_whatever_is_unclear_needs_a_person(rule: dict[str, object]) -> None:
    asked = judged(**rule)
    assert isinstance(asked, NeedsApproval)
    assert asked.votes == 1
    assert asked.reason


@pytest.mark.parametrize(
    ("votes", "least", "needed"), [(1, 2, 2), (3, 2, 3), (0, 0, 1), (-5, 0, 1), (0, 1, 1)]
)
def test_votes_never_fall_below_the_floor(votes: int, least: int, needed: int) -> None:
    asked = judged(mode="always", votes=votes, least_votes=least)
    assert isinstance(asked, NeedsApproval)
    assert asked.votes == needed

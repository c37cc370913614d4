"""The tables of moves are complete, and docs/states.md draws exactly them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

import pytest

from agentops.environment import BASE_DIR
from executions.core.states import (
    ANSWERED,
    CALL_MOVES,
    EXECUTION_MOVES,
    FINAL,
    REVIEW_MOVES,
    CallStatus,
    ExecutionStatus,
    ReviewStatus,
    sources,
)

Moves = Mapping[StrEnum, frozenset[StrEnum]]
SUBJECTS: list[tuple[str, type[StrEnum], Moves]] = [
    ("Executions", ExecutionStatus, EXECUTION_MOVES),
    ("Tool calls", CallStatus, CALL_MOVES),
    ("Reviews", ReviewStatus, REVIEW_MOVES),
]
each_subject = pytest.mark.parametrize(
    ("name", "statuses", "moves"), SUBJECTS, ids=[name for name, _, _ in SUBJECTS]
)


def arrows(moves: Moves) -> set[tuple[str, str]]:
    return {(str(here), str(there)) for here, reach in moves.items() for there in reach}


def chapter(name: str) -> str:
    page = (BASE_DIR / "docs" / "states.md").read_text(encoding="utf-8")
    return page.split(f"\n## {name}\n")[1].split("\n## ")[0]


@each_subject
def test_every_status_has_its_row(name: str, statuses: type[StrEnum], moves: Moves) -> None:
    assert set(moves) == set(statuses)


@each_subject
def test_no_status_leads_to_itself(name: str, statuses: type[StrEnum], moves: Moves) -> None:
    assert not [status for status in statuses if status in moves[status]]


@each_subject
def test_from_every_status_an_end_is_reached(
    name: str, statuses: type[StrEnum], moves: Moves
) -> None:
    ends = {status for status in statuses if not moves[status]}
    reaching = set(ends)
    for _ in statuses:
        reaching |= {status for status in statuses if moves[status] & reaching}
    assert reaching == set(statuses)


@each_subject
def test_the_page_explains_every_arrow_in_words(
    name: str, statuses: type[StrEnum], moves: Moves
) -> None:
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (.+) \|$", chapter(name), re.MULTILINE)
    explained = [(here, there) for here, there, words in rows if len(words.split()) > 2]
    assert sorted(explained) == sorted(arrows(moves))


@each_subject
def test_the_page_draws_every_arrow(name: str, statuses: type[StrEnum], moves: Moves) -> None:
    drawn = re.findall(r"^ +(\w+) --> (\w+)$", chapter(name), re.MULTILINE)
    assert sorted(drawn) == sorted(arrows(moves))
    ends = re.findall(r"^ +(\w+) --> \[\*\]$", chapter(name), re.MULTILINE)
    assert sorted(ends) == sorted(str(status) for status in statuses if not moves[status])


def test_final_statuses_are_those_that_promise_i7_names() -> None:
    assert {str(status) for status in FINAL} == {"completed", "failed", "cancelled"}
    answered = {"succeeded", "failed", "rejected", "expired", "cancelled"}
    assert {str(status) for status in ANSWERED} == answered


def test_execution_statuses_are_exactly_the_given_ones() -> None:
    given = ["awaiting_review", "cancelled", "completed", "failed", "pending", "running"]
    assert sorted(map(str, ExecutionStatus)) == given


def test_sources_is_the_where_of_an_update() -> None:
    assert sources(CALL_MOVES, CallStatus.APPROVED) == {
        CallStatus.AWAITING_REVIEW,
        CallStatus.IN_DOUBT,
    }
    assert sources(EXECUTION_MOVES, ExecutionStatus.RUNNING) == {ExecutionStatus.PENDING}
    assert not sources(REVIEW_MOVES, ReviewStatus.OPEN)

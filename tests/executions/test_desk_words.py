from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from executions.models.review import VOTES
from executions.templatetags import words


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (0, "0.0 s"),
        (412, "0.4 s"),
        (9_940, "9.9 s"),
        (9_960, "10 s"),
        (59_400, "59 s"),
        (64_000, "1 min 4 s"),
        (300_000, "5 min"),
        (12_000_000, "3 h 20 min"),
        (187_200_000, "2 d 4 h"),
        (-5, "0.0 s"),
    ],
)
def test_a_duration_is_told_in_two_units_at_most(ms: int, told: str) -> None:
    assert words.duration(ms) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "now"), (40, "40 s"), (61, "1 min"), (3599, "59 min"), (7200, "2 h"), (-90000, "1 d 1 h")],
)
def test_an_age_is_told_roughly(seconds: int, told: str) -> None:
    assert words.age(timedelta(seconds=seconds)) == told


def test_every_vote_is_told_as_what_the_person_did() -> None:
    assert set(words.DID) == set(VOTES)
    assert words.did("reject") == "rejected it"


def test_what_has_just_happened_is_not_now_ago() -> None:
    assert words.ago(timedelta(seconds=2)) == "just now"
    assert words.ago(timedelta(minutes=12)) == "12 min ago"


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (None, "unknown"),
        (0, "$0.00"),
        (Decimal("0.213"), "$0.21"),
        (Decimal("1234.5"), "$1,234.50"),
        (Decimal("0.0037"), "$0.0037"),
        (Decimal("0.000001"), "under $0.0001"),
    ],
)
def test_an_amount_keeps_the_digits_that_say_something(amount: Any, told: str) -> None:
    assert words.usd(amount) == told


@pytest.mark.parametrize(
    ("share", "told"),
    [(Decimal("0.939"), "93.9 %"), (1, "100 %"), (0, "0 %"), (None, words.NOTHING)],
)
def test_a_share_is_told_in_percent(share: Any, told: str) -> None:
    assert words.percent(share) == told


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime(2026, 11, 22, 14, 2), "14:02"),
        (datetime(2026, 11, 2, 14, 2), "2 Nov, 14:02"),
        (datetime(2025, 12, 2, 14, 2), "2 Dec 2025, 14:02"),
    ],
)
def test_a_moment_says_only_what_is_not_obvious(at: datetime, told: str) -> None:
    assert words.moment(at, datetime(2026, 11, 22, 20, 0)) == told


def test_counts_and_sizes_read_as_one_says_them() -> None:
    assert words.count(1, "step") == "1 step"
    assert words.count(1204, "character") == "1,204 characters"
    assert [words.size(n) for n in (912, 84_000, 2_100_000)] == ["912 B", "84 kB", "2.1 MB"]
    assert words.digest("9c417be2ffff") == "9c41 7be2"
    assert words.number(None) == words.NOTHING

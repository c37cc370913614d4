"""Each limit one below, at, and one above; and limits that make no sense."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from executions.core import limits
from executions.core.limits import LimitError, Limits, Spent, exceeded, merged

DEFAULTS = Limits()
BUDGET = Limits(max_cost_usd=Decimal("0.50"))


def test_the_defaults_are_the_missions() -> None:
    assert (DEFAULTS.max_steps, DEFAULTS.max_tokens) == (25, 50_000)
    assert (DEFAULTS.step_timeout_ms, DEFAULTS.total_timeout_ms) == (30_000, 300_000)


@pytest.mark.parametrize(
    ("given", "spent", "reason"),
    [
        (DEFAULTS, Spent(steps=24), None),
        (DEFAULTS, Spent(steps=25), "MAX_STEPS_EXCEEDED"),
        (DEFAULTS, Spent(steps=26), "MAX_STEPS_EXCEEDED"),
        (DEFAULTS, Spent(tokens=49_999), None),
        (DEFAULTS, Spent(tokens=50_000), "MAX_TOKENS_EXCEEDED"),
        (DEFAULTS, Spent(tokens=50_001), "MAX_TOKENS_EXCEEDED"),
        (DEFAULTS, Spent(active_ms=299_999), None),
        (DEFAULTS, Spent(active_ms=300_000), "TOTAL_TIMEOUT"),
        (DEFAULTS, Spent(active_ms=300_001), "TOTAL_TIMEOUT"),
        (BUDGET, Spent(cost_usd=Decimal("0.499999")), None),
        (BUDGET, Spent(cost_usd=Decimal("0.50")), "MAX_COST_EXCEEDED"),
        (BUDGET, Spent(cost_usd=Decimal("0.500001")), "MAX_COST_EXCEEDED"),
        (BUDGET, Spent(cost_usd=None), "COST_UNKNOWN"),
        (DEFAULTS, Spent(cost_usd=None), None),
        (DEFAULTS, Spent(cost_usd=Decimal(1000)), None),
    ],
)
def test_each_limit_below_at_and_above(given: Limits, spent: Spent, reason: str | None) -> None:
    assert exceeded(given, spent) == reason


@pytest.mark.parametrize(
    ("spent", "reason"),
    [
        (Spent(steps=25, tokens=50_000, active_ms=300_000), "MAX_STEPS_EXCEEDED"),
        (Spent(tokens=50_000, active_ms=300_000), "MAX_TOKENS_EXCEEDED"),
        (Spent(active_ms=300_000, cost_usd=Decimal(1)), "TOTAL_TIMEOUT"),
    ],
)
def test_steps_come_before_tokens_before_time_before_cost(spent: Spent, reason: str) -> None:
    assert exceeded(BUDGET, spent) == reason


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"max_stpes": 3}, "there is no limit 'max_stpes'; the limits are max_steps, max_tokens"),
        ({"max_steps": 0}, "limit max_steps is 0; expected a whole number above 0"),
        ({"max_steps": -1}, "limit max_steps is -1; expected a whole number above 0"),
        ({"max_steps": "many"}, "limit max_steps is 'many'; expected a whole number"),
        ({"max_steps": ""}, "limit max_steps is ''; expected a whole number"),
        ({"max_steps": 2.5}, "limit max_steps is 2.5; expected a whole number"),
        ({"max_steps": True}, "limit max_steps is True; expected a whole number"),
        ({"max_steps": None}, "limit max_steps is None; expected a whole number"),
        ({"max_steps": [3]}, "limit max_steps is [3]; expected a whole number"),
        ({"max_steps": "inf"}, "limit max_steps is 'inf'; expected a whole number"),
        ({"max_steps": "sNaN"}, "limit max_steps is 'sNaN'; expected a whole number"),
        ({"max_steps": 1_000_000_001}, "at most 1000000000"),
        ({"max_steps": "1e999999999"}, "limit max_steps is '1e999999999'; expected a whole number"),
        ({"max_cost_usd": "free"}, "limit max_cost_usd is 'free'; expected an amount"),
        ({"max_cost_usd": 0}, "limit max_cost_usd is 0; expected an amount above 0"),
        ({"max_cost_usd": "1e999999999"}, "expected an amount, at most 1000000000"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_in_words(
    overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(LimitError) as refused:
        merged(DEFAULTS, overrides)
    assert message in str(refused.value)


def test_an_agents_own_limit_that_makes_no_sense_is_refused_too() -> None:
    with pytest.raises(LimitError, match="limit max_tokens is 0"):
        Limits(max_tokens=0)


@pytest.mark.parametrize("given", ["7", " 7 ", 7, 7.0, Decimal(7)])
def test_an_override_may_be_text_or_number(given: Any) -> None:
    assert merged(DEFAULTS, {"max_steps": given}) == Limits(max_steps=7)


def test_what_is_stored_reads_back_to_the_last_digit() -> None:
    given = Limits(max_steps=3, max_cost_usd=Decimal("0.1000001"))
    assert limits.from_json(limits.to_json(given)) == given
    assert limits.from_json(limits.to_json(DEFAULTS)) == DEFAULTS


def test_a_snapshot_of_another_version_reads_with_what_is_known() -> None:
    assert limits.from_json({"max_steps": 3, "max_fun": 1}) == Limits(max_steps=3)
    assert limits.from_json({}) == DEFAULTS


@pytest.mark.parametrize(
    ("active_ms", "own_ms", "seconds"),
    [
        (0, None, 30.0),
        (0, 5_000, 5.0),
        (0, 60_000, 30.0),
        (290_000, None, 10.0),
        (290_000, 5_000, 5.0),
        (300_000, None, 0.0),
        (310_000, 5_000, 0.0),
    ],
)
def test_a_try_gets_the_least_of_its_own_the_steps_and_the_rest(
    active_ms: int, own_ms: int | None, seconds: float
) -> None:
    assert limits.try_timeout_s(DEFAULTS, Spent(active_ms=active_ms), own_ms=own_ms) == seconds


def test_the_next_answer_is_capped_to_the_tokens_left() -> None:
    assert limits.output_room(DEFAULTS, Spent(tokens=49_000)) == 1_000
    assert limits.output_room(DEFAULTS, Spent(tokens=50_000)) == 1

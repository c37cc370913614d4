"""Money: right to the cent, and never a zero for not knowing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from executions.core.transcript import Usage
from executions.llm.pricing import Price, cost

USAGE = Usage(input_tokens=10_000, cached_tokens=4_000, output_tokens=1_000, reasoning_tokens=600)


@pytest.mark.parametrize("llm", ["gpt-5-mini", "gpt-5-mini-2025-08-07"])
def test_cached_input_is_cheaper_than_fresh(llm: str) -> None:
    # Per million: input 0.25, cached 0.025, output 2.
    assert cost(USAGE, llm=llm) == Decimal("0.003600")


@pytest.mark.parametrize("llm", ["", "rehearsal-1", "qwen3-of-our-own", "\x00"])
def test_an_unknown_price_is_none_and_never_zero(llm: str) -> None:
    assert cost(USAGE, llm=llm) is None


def test_our_own_price_comes_before_the_list() -> None:
    ours = {
        "gpt-5-mini": Price(input=Decimal(1), cached=Decimal("0.5"), output=Decimal(3)),
        "our-llm": Price(input=Decimal(1), output=Decimal(0)),
    }
    assert cost(USAGE, llm="gpt-5-mini", overrides=ours) == Decimal("0.011000")
    assert cost(USAGE, llm="our-llm", overrides=ours) == Decimal("0.010000")


def test_a_cost_has_six_places() -> None:
    tiny = cost(Usage(input_tokens=1), llm="gpt-5-mini")
    assert tiny == Decimal("0.000000")
    assert tiny.as_tuple().exponent == -6
    ours = {"x": Price(input=Decimal("1.5"), output=Decimal(0))}
    assert cost(Usage(input_tokens=1), llm="x", overrides=ours) == Decimal("0.000002")


def test_more_cached_than_read_does_not_make_a_negative_price() -> None:
    odd = Usage(input_tokens=10, cached_tokens=10_000, output_tokens=0)
    found = cost(odd, llm="gpt-5-mini")
    assert found is not None
    assert found >= 0

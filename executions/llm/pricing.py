"""What a request cost in US dollars. An unknown price is None, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from executions.core.transcript import Usage

_PLACES = Decimal("0.000001")
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars per million tokens. `cached` None means that cached input costs the same."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None


def cost(usage: Usage, *, llm: str, overrides: Mapping[str, Price] | None = None) -> Decimal | None:
    """Return the dollars, rounded to 6 places, or None when nobody knows this LLM's price.

    `overrides` (LLM name -> Price) comes before the public price list. `input_tokens` includes
    the cached ones, `output_tokens` the reasoning.
    """
    own = (overrides or {}).get(llm)
    if own is not None:
        return _by(own, usage).quantize(_PLACES)
    if not llm or not _is_listed(llm):
        return None
    price = calc_price(
        PricedUsage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=min(usage.cached_tokens, usage.input_tokens),
            output_tokens=usage.output_tokens,
        ),
        llm,
    )
    return Decimal(price.total_price).quantize(_PLACES)


@lru_cache(maxsize=1024)
def _is_listed(llm: str) -> bool:
    """Whether the list has `llm`; looking for an unknown name goes through all of it."""
    try:
        calc_price(PricedUsage(input_tokens=1, output_tokens=1), llm)
    except (LookupError, ValueError):
        return False
    return True


def _by(price: Price, usage: Usage) -> Decimal:
    cached = min(usage.cached_tokens, usage.input_tokens)
    cached_price = price.input if price.cached is None else price.cached
    dollars = (
        (usage.input_tokens - cached) * price.input
        + cached * cached_price
        + usage.output_tokens * price.output
    )
    return dollars / _MILLION

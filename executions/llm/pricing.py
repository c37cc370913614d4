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
    listed = _listed(llm) if llm else None
    if listed is None:
        return None
    if listed.flat is not None:
        return _by(listed.flat, usage).quantize(_PLACES)
    price = calc_price(
        PricedUsage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=min(usage.cached_tokens, usage.input_tokens),
            output_tokens=usage.output_tokens,
        ),
        llm,
    )
    return Decimal(price.total_price).quantize(_PLACES)


@dataclass(frozen=True)
class _Listed:
    """An LLM of the price list; `flat` is its price when that depends on nothing but tokens."""

    flat: Price | None


@lru_cache(maxsize=1024)
def _listed(llm: str) -> _Listed | None:
    """Look it up once: an unknown name goes through the whole list, and the library's own
    arithmetic takes as long as everything else in a step."""
    try:
        found = calc_price(PricedUsage(input_tokens=1, output_tokens=1), llm)
    except (LookupError, ValueError):
        return None
    if isinstance(found.model.prices, list):  # the price depends on the hour
        return _Listed(None)
    prices = found.model_price
    fresh, written, cached = prices.input_mtok, prices.output_mtok, prices.cache_read_mtok
    if (
        prices.requests_kcount is not None
        or not isinstance(fresh, Decimal)  # tiered by the size of the request, or not given
        or not isinstance(written, Decimal)
        or not (cached is None or isinstance(cached, Decimal))
    ):
        return _Listed(None)
    return _Listed(Price(input=fresh, output=written, cached=cached))


def _by(price: Price, usage: Usage) -> Decimal:
    cached = min(usage.cached_tokens, usage.input_tokens)
    cached_price = price.input if price.cached is None else price.cached
    dollars = (
        (usage.input_tokens - cached) * price.input
        + cached * cached_price
        + usage.output_tokens * price.output
    )
    return dollars / _MILLION

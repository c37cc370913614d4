"""What one execution may spend, and whether there is room for one more LLM request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any


class LimitError(ValueError):
    """A limit that makes no sense: which, what was given, what was expected."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Ceilings of one execution, snapshotted at launch. Times are milliseconds of active time."""

    max_steps: int = 25
    max_tokens: int = 50_000
    step_timeout_ms: int = 30_000
    total_timeout_ms: int = 300_000
    max_cost_usd: Decimal | None = None
    max_calls_per_step: int = 8
    warn_identical_calls: int = 3
    max_identical_calls: int = 4

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is None and name == "max_cost_usd":
                continue
            wanted = "an amount above 0" if name == "max_cost_usd" else "a whole number above 0"
            if value <= 0 or value > CEILING:
                raise LimitError(f"limit {name} is {value}; expected {wanted}, at most {CEILING}")


CEILING = 1_000_000_000  # what the integer columns behind the counters hold
NAMES = tuple(field.name for field in fields(Limits))


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What an execution has used so far. `cost_usd` is None once any price was unknown."""

    steps: int = 0
    tokens: int = 0
    active_ms: int = 0
    cost_usd: Decimal | None = Decimal(0)


def merged(limits: Limits, overrides: Mapping[str, Any]) -> Limits:
    """Return `limits` with `overrides` (values may be text) put over them, or raise LimitError."""
    values: dict[str, Any] = {}
    for name, value in overrides.items():
        if name not in NAMES:
            raise LimitError(f"there is no limit {name!r}; the limits are {', '.join(NAMES)}")
        values[name] = _number(name, value)
    return replace(limits, **values)


def from_json(value: Mapping[str, Any]) -> Limits:
    """Read a stored snapshot; names it does not know are from other versions and left out."""
    return merged(Limits(), {name: value[name] for name in NAMES if value.get(name) is not None})


def readable(value: Any) -> dict[str, Any]:
    """Return each limit of a stored snapshot for people to see, all None when it cannot be read."""
    try:
        return asdict(from_json(value))
    except (LimitError, AttributeError, TypeError):
        return dict.fromkeys(NAMES)


def to_json(limits: Limits) -> dict[str, Any]:
    """Return the snapshot that is stored; the amount as text, so that no digit is lost."""
    values = asdict(limits)
    if limits.max_cost_usd is not None:
        values["max_cost_usd"] = str(limits.max_cost_usd)
    return values


def exceeded(limits: Limits, spent: Spent) -> str | None:
    """Return the stop reason of the first limit that leaves no room for one more step."""
    if spent.steps >= limits.max_steps:
        return "MAX_STEPS_EXCEEDED"
    if spent.tokens >= limits.max_tokens:
        return "MAX_TOKENS_EXCEEDED"
    if spent.active_ms >= limits.total_timeout_ms:
        return "TOTAL_TIMEOUT"
    if limits.max_cost_usd is None:
        return None
    if spent.cost_usd is None:  # a ceiling that cannot be watched must not be passed unseen
        return "COST_UNKNOWN"
    return "MAX_COST_EXCEEDED" if spent.cost_usd >= limits.max_cost_usd else None


def try_timeout_s(limits: Limits, spent: Spent, *, own_ms: int | None = None) -> float:
    """Return the seconds one LLM try or tool call gets: its own, the step's, the rest's least."""
    rest = max(limits.total_timeout_ms - spent.active_ms, 0)
    return min(own_ms or limits.step_timeout_ms, limits.step_timeout_ms, rest) / 1000


def output_room(limits: Limits, spent: Spent) -> int:
    """Return how many tokens the next answer may have."""
    return max(limits.max_tokens - spent.tokens, 1)


def _number(name: str, value: Any) -> int | Decimal:
    """Return `value` as the limit's type; booleans and fractions of whole numbers are refused."""
    wanted = "an amount" if name == "max_cost_usd" else "a whole number"
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    is_amount = name == "max_cost_usd"
    fits = number.is_finite() and (is_amount or number == number.to_integral_value())
    if isinstance(value, bool) or not fits:
        raise LimitError(f"limit {name} is {value!r}; expected {wanted}")
    if not -CEILING <= number <= CEILING:  # before int(), which would write 1e999999999 out
        raise LimitError(f"limit {name} is {value!r}; expected {wanted}, at most {CEILING}")
    return number if is_amount else int(number)

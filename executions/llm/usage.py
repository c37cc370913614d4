"""Token counts as providers report them, checked; estimated where they make no sense."""

from __future__ import annotations

from typing import Any

from executions.core.transcript import Usage

# Nobody's context is this large: a count beyond it is a mistake, not a bill.
MOST_TOKENS = 10_000_000
CHARS_PER_TOKEN = 4


def read_usage(given: Any, *, request_chars: int, reply_chars: int) -> Usage:
    """Return the usage in `given` (either API's object), or an estimate marked as one."""
    if isinstance(given, dict):
        found = _reported(given)
        if found is not None:
            return found
    return estimate(request_chars=request_chars, reply_chars=reply_chars)


def estimate(*, request_chars: int, reply_chars: int) -> Usage:
    """Return a usage guessed from lengths in characters."""
    read, written = _tokens(request_chars), _tokens(reply_chars)
    return Usage(
        input_tokens=read, output_tokens=written, total_tokens=read + written, estimated=True
    )


def _reported(given: dict[str, Any]) -> Usage | None:
    """Return `given` as Usage, None when its main counts are missing or absurd."""
    read = _count(given, "input_tokens", "prompt_tokens")
    written = _count(given, "output_tokens", "completion_tokens")
    if read is None or written is None:
        return None
    cached = _detail(given, ("input_tokens_details", "prompt_tokens_details"), "cached_tokens")
    thought = _detail(
        given, ("output_tokens_details", "completion_tokens_details"), "reasoning_tokens"
    )
    return Usage(
        input_tokens=read,
        cached_tokens=min(cached, read),
        output_tokens=written,
        reasoning_tokens=min(thought, written),
        # Some gateways count hidden thinking in the total alone.
        total_tokens=max(_count(given, "total_tokens") or 0, read + written),
    )


def _count(given: dict[str, Any], *names: str) -> int | None:
    """Return the first of `names` that is a believable count."""
    for name in names:
        value = given.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS:
            return value
    return None


def _detail(given: dict[str, Any], places: tuple[str, ...], name: str) -> int:
    for place in places:
        details = given.get(place)
        if isinstance(details, dict):
            return _count(details, name) or 0
    return 0


def _tokens(chars: int) -> int:
    return -(-chars // CHARS_PER_TOKEN)

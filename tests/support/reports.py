"""What pytest's worker processes send to the one that reports."""

from __future__ import annotations

from typing import Any


def without_surrogates(thing: Any) -> Any:
    """Return it with lone surrogates in its texts escaped; everything else as it is."""
    match thing:
        case str():
            return thing.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {without_surrogates(key): without_surrogates(one) for key, one in thing.items()}
        case list() | tuple():
            return type(thing)(without_surrogates(one) for one in thing)
    return thing

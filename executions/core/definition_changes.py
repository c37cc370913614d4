"""What became different between two definitions of an agent, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from executions.core.transcript import dump

SHOWN_CHARS = 300
TOOL_PARTS = ("description", "schema", "effect", "approval", "votes")


@dataclass(frozen=True)
class Change:
    """`before` and `after` are shortened to what a page has room for; None: it was not there."""

    what: str
    before: str | None
    after: str | None


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two stored definitions, in the order people ask for it."""
    return [
        *_texts("instructions", old.get("instructions"), new.get("instructions")),
        *_tools(_by_name(old), _by_name(new)),
        *_limits(old.get("limits") or {}, new.get("limits") or {}),
        *_texts("LLM", old.get("llm"), new.get("llm")),
        *_texts("shape of the answer", old.get("output_schema"), new.get("output_schema")),
    ]


def _tools(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield Change(f"tool {name}", "allowed", None)
        elif name not in old:
            yield Change(f"tool {name}", None, "allowed")
        else:
            for part in TOOL_PARTS:
                yield from _texts(f"{part} of {name}", old[name].get(part), new[name].get(part))


def _limits(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        yield from _texts(f"limit {name}", old.get(name), new.get(name))


def _texts(what: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    before, after = _text(old), _text(new)
    if before is None or after is None:
        yield Change(what, _clipped(before), _clipped(after))
        return
    same = _same_beginning(before, after)
    yield Change(what, _from(before, same), _from(after, same))


def _by_name(body: Mapping[str, Any]) -> dict[str, Any]:
    return {tool["name"]: tool for tool in body.get("tools") or ()}


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else dump(value)


def _same_beginning(one: str, other: str) -> int:
    """Return how many first characters of long texts may be left out: those alike, but for 40."""
    alike = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    alike = min(len(one), len(other)) if alike is None else alike
    return max(alike - 40, 0) if max(len(one), len(other)) > SHOWN_CHARS else 0


def _from(text: str, place: int) -> str | None:
    return _clipped(f"… {text[place:]}" if place else text)


def _clipped(text: str | None) -> str | None:
    if text is None or len(text) <= SHOWN_CHARS:
        return text
    return f"{text[:SHOWN_CHARS]} …"

"""The parts of a call's arguments that are folded, and who has to open them before approving.

One rule for every page and for the server: a long text, a long list and what is nested deeply are
folded, everything else stands open. `key` says where a part is: "body", "findings/3/finding".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from executions.core.figures import Path, place_of
from executions.templatetags.show import extent, is_long
from tools.base import Tool

MANY = 40
"""So many values of a list or an object stand open."""
DEEP = 6
"""What is nested more deeply is folded."""


@dataclass(kw_only=True)
class Part:
    """One folded value. `must_read`: nobody may approve who has not opened it. `is_placed`: the
    tool's own preview shows it, so that it need not stand beneath."""

    review_id: UUID
    path: Path
    value: Any
    must_read: bool
    is_placed: bool = False

    @property
    def key(self) -> str:
        return key_of(self.path)

    @property
    def box(self) -> str:
        """Return what the approval's form sends for this part."""
        return f"{self.review_id}:{self.key}"

    @property
    def label(self) -> str:
        """Return where it stands, in words; positions count from 1."""
        return place_of(self.path) or "all of it"

    @property
    def is_text(self) -> bool:
        return isinstance(self.value, str)

    @property
    def extent(self) -> str:
        return extent(self.value)


def key_of(path: Path) -> str:
    return "/".join(quote(str(one), safe="") for one in path)


def parts_of(review_id: UUID, tool: Tool | None, arguments: Any) -> list[Part]:
    """Return what is folded of these arguments, in their order."""
    named = tool.must_read if tool else None
    return [
        Part(
            review_id=review_id,
            path=path,
            value=value,
            must_read=named is None or not path or path[0] in named,
        )
        for path, value in _folded(arguments, ())
    ]


def _folded(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, str):
        if is_long(value):
            yield path, value
    elif isinstance(value, dict | list) and value:
        if len(path) >= DEEP or len(value) > MANY:
            yield path, value
            return
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, one in pairs:
            yield from _folded(one, (*path, name))

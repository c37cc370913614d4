"""What a tool's preview may know beside the arguments, for those that ask for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from tools.base import Tool


def _nothing(name: str) -> list[Any]:
    return []


@dataclass(frozen=True, kw_only=True)
class Looking:
    """`version` is the target's when this was put before people (None: of no matter);
    `outputs(name)` what that tool answered earlier in the same execution, the latest first;
    `is_ahead` whether the call has yet to be decided or to start, `answer` what it answered itself
    once it has succeeded."""

    version: str | None = None
    outputs: Callable[[str], list[Any]] = _nothing
    is_ahead: bool = True
    answer: Any = None


def preview_of(tool: Tool, arguments: BaseModel, looking: Looking) -> dict[str, Any]:
    """Return the tool's preview; one with a parameter `looking` is given that, too."""
    assert tool.preview is not None
    if "looking" in inspect.signature(tool.preview).parameters:
        return tool.preview(arguments, looking=looking)  # type: ignore[call-arg]
    return tool.preview(arguments)

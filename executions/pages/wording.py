"""A call as a sentence of ours, made from its exact arguments, never from the LLM's words."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from tools.base import Tool, ToolError
from tools.registry import TOOLS

log = logging.getLogger(__name__)

SHOWN_CHARS = 80


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a call does. `tool` is None when the registry has it no more; `arguments` is None
    when they do not fit it, and `problem` says why."""

    headline: str
    tool: Tool | None
    arguments: BaseModel | None
    problem: str | None


def action(tool_name: str, arguments: Any, *, customer: str = "") -> Action:
    """Put a call into words, whatever its arguments are. `customer` is the name of the one it is
    about, where it is at hand: a tool whose headline takes it says it in place of the id."""
    tool = TOOLS.get(tool_name)
    if tool is None:
        problem = f"There is no tool {tool_name} any more; the call could not run."
        return Action(
            headline=_plain(tool_name, arguments), tool=None, arguments=None, problem=problem
        )
    try:
        parsed = tool.parse(arguments)
    except ToolError as error:
        return Action(
            headline=_plain(tool_name, arguments), tool=tool, arguments=None, problem=str(error)
        )
    said = _said(tool, parsed, customer) or _plain(tool_name, arguments)
    return Action(headline=said, tool=tool, arguments=parsed, problem=None)


def _said(tool: Tool, parsed: BaseModel, customer: str) -> str | None:
    """Return the tool's own headline; a tool whose headline fails must not take the page down."""
    if tool.headline is None:
        return None
    try:
        if customer and _names_customer(tool.headline):
            return tool.headline(parsed, customer=customer)  # type: ignore[call-arg]
        return tool.headline(parsed)
    except Exception:
        log.exception("The headline of %s failed", tool.name)
        return None


@cache
def _names_customer(headline: Callable[..., str]) -> bool:
    return "customer" in inspect.signature(headline).parameters


def _plain(tool_name: str, arguments: Any) -> str:
    """Return the tool's name and the short values it is given."""
    given = arguments.values() if isinstance(arguments, dict) else []
    told = ", ".join(" ".join(one.split()) for one in given if isinstance(one, str))
    name = tool_name.replace("_", " ").capitalize()
    return f"{name}: {told[:SHOWN_CHARS]}" if told else name

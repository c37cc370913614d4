"""Which answers of the calls around one stand open on its page, so that nobody has to look for what
the decision turns on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from executions.desk.origins import Origins
from executions.models import AgentToolCall
from executions.templatetags.show import exact
from tools.registry import TOOLS

OPEN_CHARS = 8_000
"""A longer answer stays folded."""


def answers_around(
    call_id: UUID, around: Iterable[AgentToolCall], origins: Origins
) -> dict[str, set[UUID]]:
    """Return the calls around this one whose answers stand on the page (`answered`), and of which
    they stand open (`evidence`): of those that alone say a figure of it, and of what somebody
    outside wrote, when that is one answer."""
    others = (one for one in around if one.pk != call_id)
    shown = [one for one in others if one.tool_output is not None and not one.error]
    warned = {one.sources[0].ref for one in origins.outside}
    outsiders = [one.pk for one in shown if _is_from_outside(one)]
    wanted = warned.union(outsiders if len(outsiders) == 1 else ())
    return {
        "answered": {one.pk for one in shown},
        "evidence": {one.pk for one in shown if one.pk in wanted and _is_short(one)},
    }


def _is_short(call: AgentToolCall) -> bool:
    return len(exact(call.tool_output)) <= OPEN_CHARS


def _is_from_outside(call: AgentToolCall) -> bool:
    tool = TOOLS.get(call.tool_name)
    if tool is None:
        return False
    keys = tool.outside_of(call.tool_output)
    return keys is None or _holds(call.tool_output, keys)


def _holds(value: Any, keys: Collection[str]) -> bool:
    """Test if anything stands under one of these keys, at any depth."""
    if isinstance(value, dict):
        return any((name in keys and one) or _holds(one, keys) for name, one in value.items())
    return isinstance(value, list) and any(_holds(one, keys) for one in value)

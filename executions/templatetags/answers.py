"""How a template shows the answer of a call that a decision turns on: `{% load answers %}`."""

from __future__ import annotations

from typing import Any

from django import template

from executions.templatetags.show import exact

register = template.Library()


@register.inclusion_tag("show/evidence.html")
def evidence(call: Any) -> dict[str, Any]:
    """Show a call's answer open, field by field, its texts whole."""
    answer = call.tool_output
    if isinstance(answer, dict) and len(answer) == 1:
        (answer,) = answer.values()
    return {"call": call, "answer": answer, "text": exact(call.tool_output)}

"""An agent for tests: the LLM says exactly what its input tells it to (see the generic player)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from executions.agents import Agent, register
from executions.core.limits import Limits
from tools.registry import TOOLS


class Script(BaseModel):
    """`rehearse`: the LLM's replies in order, each {"calls": […]} or {"text": …}."""

    model_config = ConfigDict(extra="forbid")
    rehearse: list[dict[str, Any]]


REHEARSED = register(
    Agent(
        name="rehearsed",
        title="Says what the test tells it",
        instructions="Follow the script in the input.",
        tools=tuple(TOOLS),
        input_model=Script,
        limits=Limits(max_tokens=1_000_000),
    )
)


READ = ("read_customer_record", {"customer_id": "C-1001"})
LETTER = (
    "send_email",
    {"to": ["ana.duarte@marlowe-shipping.example"], "subject": "Hello", "body": "We looked."},
)


def calls(*named: tuple[str, Any]) -> dict[str, Any]:
    """Return a reply that asks for these tools at once."""
    return {"calls": [{"name": name, "arguments": arguments} for name, arguments in named]}


def text(said: str = "done") -> dict[str, Any]:
    return {"text": said}

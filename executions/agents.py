"""An agent is data: instructions, tools, limits and the shapes of what goes in and comes out."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from executions.core.limits import Limits
from executions.core.transcript import CallRecord


class UnknownAgent(LookupError):
    """No agent of that name is registered; the message names the nearest ones."""


class InputRefused(ValueError):
    """The input does not fit the agent's input schema; the message says which field and why."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """One kind of agent.

    `llm` None means the site's default. `input_model` checks input before anything is stored;
    with an `output_model` the final answer must be JSON of that shape. `check_answer` says, in
    words for the LLM, what an answer claims that its calls do not bear out, None when nothing.
    Change it freely: an execution keeps the definition it was launched with.
    """

    name: str
    title: str
    instructions: str
    tools: tuple[str, ...]
    input_model: type[BaseModel]
    output_model: type[BaseModel] | None = None
    check_answer: Callable[[Any, Sequence[CallRecord]], str | None] | None = None
    llm: str | None = None
    limits: Limits = field(default_factory=Limits)
    sample_input: dict[str, Any] = field(default_factory=dict)

    def checked(self, value: Any) -> dict[str, Any]:
        """Return `value` as this agent's input in JSON form, or raise InputRefused."""
        try:
            return self.input_model.model_validate(value).model_dump(mode="json")
        except ValidationError as error:
            raise InputRefused(f"Input for {self.name}: {_readable(error)}") from None


_agents: dict[str, Agent] = {}


def register(agent: Agent) -> Agent:
    """Make `agent` launchable; a second agent of the same name is a mistake and raises."""
    if _agents.setdefault(agent.name, agent) is not agent:
        raise ValueError(f"an agent named {agent.name!r} is registered already")
    return agent


def get_agent(name: str) -> Agent:
    """Return the agent of that name, or raise UnknownAgent."""
    if name in _agents:
        return _agents[name]
    near = difflib.get_close_matches(name, _agents, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(_agents)}."
    raise UnknownAgent(f"There is no agent {name!r}; {hint}")


def all_agents() -> tuple[Agent, ...]:
    """Return every registered agent, by name."""
    return tuple(_agents[name] for name in sorted(_agents))


def _readable(error: ValidationError) -> str:
    """Return one clause per faulty field."""
    clauses = []
    for fault in error.errors(include_url=False):
        place = ".".join(str(part) for part in fault["loc"]) or "the input"
        clauses.append(f"{place}: {fault['msg'][:200]}")
    return "; ".join(clauses[:8])

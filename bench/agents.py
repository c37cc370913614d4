"""The benchmark's agents and tools. Only `bench.settings` registers them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from executions.agents import Agent, register
from tools.base import Effect, Tool, always, tool
from tools.registry import TOOLS

ROUNDS = 5
WRITES = 2 * ROUNDS + 1  # durable writes of one execution: 6 steps, 5 outcomes

PROSE = (
    "I looked at the order and the shipment it belongs to. The next thing to do is to ask the"
    " lookup tool for the current state, since the last answer is out of date and the customer"
    " waits for a reply. I will report back when it is known."
)[:220]


class Anything(BaseModel):
    """`rehearse` lays down the rehearsal server's replies (agentops/rehearsal/script.py)."""

    number: int = 0
    rehearse: list[dict[str, Any]] = []


def found(turn: int) -> dict[str, Any]:
    """Return what a lookup finds: about 200 bytes of JSON."""
    return {"turn": turn, "ok": True, "rows": [7, 8, 9], "text": PROSE[:135]}


@tool(effect=Effect.READ)
async def bench_lookup(*, turn: int) -> dict[str, Any]:
    """Look something up, inside the event loop."""
    return found(turn)


@tool(effect=Effect.READ)
def bench_lookup_in_thread(*, turn: int) -> dict[str, Any]:
    """Look something up, in a tool thread."""
    return found(turn)


@tool(effect=Effect.IDEMPOTENT, approval=always())
async def bench_act(*, number: int) -> dict[str, Any]:
    """Do something that a person must allow."""
    return {"done": number}


def _register(made: Tool) -> str:
    return TOOLS.setdefault(made.name, made).name


LOOKUP, LOOKUP_IN_THREAD, ACT = map(_register, (bench_lookup, bench_lookup_in_thread, bench_act))

LOOP = register(
    Agent(
        name="bench_loop",
        title="Workload W",
        instructions="Look up five times, then answer.",
        tools=(LOOKUP,),
        input_model=Anything,
    )
)
LOOP_IN_THREADS = register(
    Agent(
        name="bench_loop_in_threads",
        title="Workload W, its tool in a thread",
        instructions="Look up five times, then answer.",
        tools=(LOOKUP_IN_THREAD,),
        input_model=Anything,
    )
)
GATED = register(
    Agent(
        name="bench_gated",
        title="One call that needs a person",
        instructions="Act once, then answer.",
        tools=(ACT,),
        input_model=Anything,
    )
)


def script(rounds: int) -> list[dict[str, Any]]:
    """Return replies for the rehearsal server: so many rounds with a lookup, then an answer."""
    lookups: list[dict[str, Any]] = [
        {"text": PROSE, "calls": [{"name": LOOKUP, "arguments": {"turn": turn}}]}
        for turn in range(rounds)
    ]
    return [*lookups, {"text": PROSE}]

"""A tool that leaves a line in a file, in the forms it has in old and in new code; and its agent.

A worker process gets one form by NOTE_RULE: `free`, `gated`, `low` (gated, at low
risk), `two` (votes) or `read`. The file
that NOTE_LEDGER names is the outside world's own ledger: one JSON line per effect.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from executions.agents import Agent, register
from executions.core.limits import Limits
from tests.support.rehearsed_agent import Script
from tools.base import Approval, Effect, Tool, ToolContext, always, never, tool
from tools.registry import TOOLS

LEDGER, RULE = "NOTE_LEDGER", "NOTE_RULE"
NAME, AGENT = "leave_note", "noter"


def _written(context: ToolContext, rule: str, **said: str) -> dict[str, Any]:
    line = {"key": context.idempotency_key, "rule": rule, "pid": os.getpid(), **said}
    with Path(os.environ[LEDGER]).open("a") as file:
        file.write(json.dumps(line) + "\n")
    return said


def form(
    rule: str = "free",
    *,
    approval: Approval | None = None,
    effect: Effect = Effect.ONCE,
    version: int = 1,
) -> Tool:
    """Return the tool as code with this rule has it."""
    gated, two = always(), always(votes=2)
    rules = {"free": never(), "read": never(), "gated": gated, "low": gated, "two": two}

    @tool(
        effect=Effect.READ if rule == "read" else effect,
        approval=approval or rules[rule],
        risk="low" if rule in ("low", "read") else "medium",
        version=version,
    )
    def leave_note(*, word: str, context: ToolContext) -> dict[str, Any]:
        """Leave a note."""
        return _written(context, rule, word=word)

    return leave_note


def asking_for_more() -> Tool:
    """Return it as code has it where one argument more is required."""

    @tool(effect=Effect.ONCE, approval=always())
    def leave_note(*, word: str, place: str, context: ToolContext) -> dict[str, Any]:
        """Leave a note somewhere."""
        return _written(context, "gated", word=word, place=place)

    return leave_note


def note(word: str) -> tuple[str, dict[str, Any]]:
    return NAME, {"word": word}


def notes(ledger: Path) -> list[dict[str, Any]]:
    """Return what the file says happened."""
    lines: Iterable[str] = ledger.read_text().splitlines() if ledger.exists() else ()
    return [json.loads(line) for line in lines]


TOOLS[NAME] = form(os.environ.get(RULE, "free"))
NOTER = register(
    Agent(
        name=AGENT,
        title="Leaves notes",
        instructions="Follow the script in the input.",
        tools=(NAME, "find_customers"),
        input_model=Script,
        limits=Limits(max_tokens=1_000_000),
    )
)

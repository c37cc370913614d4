"""A journal without a runner around it, for tests that hand it entries one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from agentops.accounts.models import User
from executions import operations
from executions.engine import leases, tickets
from executions.engine.connections import Link, connect
from executions.engine.entries import (
    StepMade,
)
from executions.engine.journal import Journal
from executions.engine.switches import Switches
from tests.support.rehearsed_agent import REHEARSED, text

Work = Callable[[Journal, leases.Lease], Awaitable[Any]]


def with_journal(work: Work) -> Any:
    """Run `work` with a journal whose runner is registered, and close everything."""

    async def main() -> Any:
        watch = await connect(name="test lease")
        lease = await leases.register(watch, capacity=10, version="test", lease_s=15)
        journal = Journal(runner_id=lease.id, ring=tickets.ring_on)
        running = asyncio.create_task(journal.run())
        try:
            return await work(journal, lease)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await watch.close()

    return asyncio.run(main())


def launched(count: int = 1) -> list[UUID]:
    system = User.objects.get(username="system")
    script = {"rehearse": [text()]}
    return [
        operations.launch(agent_type=REHEARSED.name, input_data=script, user=system).execution.pk
        for _ in range(count)
    ]


async def claimed(lease: leases.Lease, ids: list[UUID]) -> None:
    link = Link(name="test claim")
    taken = await leases.claim(link, lease, room=100, switches=Switches())
    await link.close()
    assert set(taken) == set(ids)


def step(execution_id: UUID, number: int = 1, **changes: Any) -> StepMade:
    row = {
        "execution_id": execution_id, "step_number": number, "llm": "test", "request_digest": "",
        "response": {"text": "x", "calls": [], "reasoning": [], "refusal": None},
        "finish_reason": "stop", "problem": None, "input_tokens": 1, "cached_tokens": 0,
        "output_tokens": 1, "reasoning_tokens": 0, "total_tokens": 2, "usage_estimated": False,
        "cost_usd": "0.5", "latency_ms": 1, "tries": [],
    }  # fmt: skip
    return StepMade(execution_id=execution_id, token=1, active_ms=5, step={**row, **changes})


def call_row(execution_id: UUID, **changes: Any) -> dict[str, Any]:
    row = {
        "id": uuid4(), "execution_id": execution_id, "step_number": 1, "call_index": 0,
        "tool_name": "find_customers", "tool_input": {"query": "x"}, "status": "running",
        "error": None, "provider_call_id": "call_1", "effect": "read", "gated": False,
        "review_id": None, "target_version": None,
    }  # fmt: skip
    return {**row, **changes}


def review_row(call: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A new review of the call, which names it already."""
    row = {
        "id": call["review_id"], "call_id": call["id"], "kind": "approval", "required_votes": 1,
        "reason": "", "risk": "medium", "target_version": None, "expires_after_s": 60,
    }  # fmt: skip
    return {**row, **changes}

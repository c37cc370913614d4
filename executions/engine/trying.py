"""Running a call's tool: once, or once more with the same key where that is safe."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel

from executions.core import idempotency, storable
from executions.core.limits import try_timeout_s
from executions.engine import effects
from executions.engine.driven import Driven, HeldCall
from executions.engine.effects import FenceLost, Outcome
from executions.engine.entries import LeaseLost
from executions.engine.services import Services
from tools.base import Effect, Tool, ToolContext


async def outcome(
    services: Services, one: Driven, call: HeldCall, tool: Tool, parsed: BaseModel, *,
    is_rerun: bool,
) -> Outcome:  # fmt: skip
    """Run the tool; an idempotent one whose outcome is hidden once more, with the same key.

    After a try whose outcome is hidden, in this life or the one before, only success is known:
    that a later try did nothing says nothing about the first.
    """
    seconds = try_timeout_s(one.limits, one.spent_now(), own_ms=tool.timeout_ms)
    context = ToolContext(
        execution_id=one.id,
        call_id=call.id,
        idempotency_key=key(one, call),
        agent_type=one.agent_type,
        user_id=one.user_id,
        deadline_s=seconds,
        target_version=call.target_version,
    )
    tries = 2 if tool.effect is Effect.IDEMPOTENT else 1
    hidden = ["an earlier try was cut off"] if is_rerun and tries > 1 else []
    for _ in range(tries):
        try:
            made = await effects.run(services.threads, one, call, tool, parsed, context)
        except FenceLost:
            raise LeaseLost from None
        if made.is_known or not made.may_repeat or call.key_lapsed:
            break
        hidden.append(made.error or "no answer")
    if hidden and made.status == "failed" and made.is_known:
        told = storable.text("; then: ".join([*hidden, made.error or ""]), limit=4000)
        return replace(made, error=told, is_known=False)
    return made


def key(one: Driven, call: HeldCall) -> str:
    return idempotency.key(
        execution_id=str(one.id), step_number=call.step_number, call_index=call.call_index
    )

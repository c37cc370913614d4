"""From what the LLM asked for to rows: check each call, let the gate judge it, open reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

from executions.core import policy, storable
from executions.core.states import CallStatus
from executions.core.transcript import Finish, Reply, RequestedCall
from executions.engine import gates
from executions.engine.driven import Driven, HeldCall
from executions.engine.threads import ToolThreads
from tools.base import Effect, Target, Tool, ToolError
from tools.registry import TOOLS, get_tool

WIRE_ID_CHARS = 64
TOO_MANY = "not run: at most {n} tool calls are allowed in one step; ask again for this one"
CUT_OFF = "not run: your answer was cut off in the middle"
PREPARE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """One requested call with the gate's verdict on it."""

    call: HeldCall
    review: dict[str, Any] | None = None


async def propose(one: Driven, reply: Reply, threads: ToolThreads) -> list[Proposed]:
    """Return one Proposed per requested call, in emission order."""
    number = one.spent.steps + 1
    used = {call.wire_id for call in one.calls}
    made: list[Proposed] = []
    for index, requested in enumerate(reply.calls):
        wire_id = _wire_id(requested.id, used, number, index)
        used.add(wire_id)
        refusal = None
        if reply.finish is Finish.LENGTH:
            refusal = CUT_OFF
        elif index >= one.limits.max_calls_per_step:
            refusal = TOO_MANY.format(n=one.limits.max_calls_per_step)
        call = _blank(requested, wire_id=wire_id, step=number, index=index)
        made.append(await _judged(one, call, requested, threads, refusal=refusal))
    return made


def review_row(
    call: HeldCall,
    *,
    kind: str,
    votes: int,
    reason: str,
    version: str | None,
    customer: str | None = None,
) -> dict[str, Any]:
    """Return the journal's row of a new review of `call`, whose tool may be gone by now.

    Without a `customer` it is about the one that the call's last review was about.
    """
    tool = TOOLS.get(call.tool_name)
    expires = tool.approval.expires_after_s if tool and kind == "approval" else None
    return {
        "id": uuid4(),
        "call_id": call.id,
        "kind": kind,
        "required_votes": votes,
        "reason": storable.text(reason, limit=2000),
        "risk": tool.risk_of(call.arguments) if tool else "high",
        "target_version": version,
        "expires_after_s": expires,
        "customer_id": customer,
    }


async def _judged(
    one: Driven,
    call: HeldCall,
    requested: RequestedCall,
    threads: ToolThreads,
    *,
    refusal: str | None,
) -> Proposed:
    """Check one call and decide its fate; nothing here raises for what the LLM wrote."""
    try:
        if refusal:
            raise ToolError(refusal)
        tool = _known(one, requested.name)
        call.effect = tool.effect.value
        if tool.effect is Effect.READ and gates.is_always_gated(tool.name):
            raise ToolError(f"{tool.name} is being changed and cannot be used for the moment")
        parsed = _parsed(tool, call, requested.arguments)
        rule = rule_of(one, tool, parsed)
        target, customer = await _prepared(one, tool, parsed, threads)
    except ToolError as error:
        call.status = CallStatus.FAILED
        call.error = storable.text(str(error), limit=4000)
        return Proposed(call=call)
    verdict = policy.verdict(rule)
    call.target_version = target.version if target else None
    if isinstance(verdict, policy.NeedsApproval):
        return _gated(call, verdict, customer)
    call.status = CallStatus.RUNNING if tool.effect is Effect.READ else CallStatus.PENDING
    return Proposed(call=call)


def _gated(call: HeldCall, verdict: policy.NeedsApproval, customer: str | None) -> Proposed:
    review = review_row(
        call,
        kind="approval",
        votes=verdict.votes,
        reason=verdict.reason,
        version=call.target_version,
        customer=customer,
    )
    call.gated, call.status = True, CallStatus.AWAITING_REVIEW
    call.review_id = review["id"]
    return Proposed(call=call, review=review)


def _blank(requested: RequestedCall, *, wire_id: str, step: int, index: int) -> HeldCall:
    """Return the call with its arguments unread: what is kept when they cannot be read."""
    unread = {"unread": storable.text(requested.arguments)}
    return HeldCall(
        id=uuid4(),
        wire_id=wire_id,
        step_number=step,
        call_index=index,
        tool_name=storable.text(requested.name, limit=200),
        status=CallStatus.PENDING,
        effect=Effect.READ.value,
        gated=False,
        proposed=unread,
        arguments=unread,
    )


def _wire_id(given: str, used: set[str], step: int, index: int) -> str:
    """Return the provider's id when it is usable and new in this execution, else our own."""
    usable = 0 < len(given) <= WIRE_ID_CHARS and given.isascii() and given.isprintable()
    if usable and given not in used:
        return given
    own = f"call_{step}_{index}"
    while own in used:  # an id that the provider gave out before
        own += "_"
    return own


def _known(one: Driven, name: str) -> Tool:
    """Return the tool if this agent may use it, or raise ToolError."""
    assert one.definition is not None
    if name not in one.definition.tool_names:
        allowed = ", ".join(sorted(one.definition.tool_names)) or "none"
        raise ToolError(f"there is no tool {name[:100]!r} here; your tools are: {allowed}")
    return get_tool(name)


def _parsed(tool: Tool, call: HeldCall, raw: str) -> BaseModel:
    """Read the arguments into `call`; raises ToolError with what was wrong."""
    try:
        arguments = storable.parse(raw or "{}")
    except ValueError as error:
        raise ToolError(f"the arguments are not valid JSON: {error}; nothing was run") from None
    if arguments is not None:  # a column cannot tell JSON's null from nothing
        call.proposed = call.arguments = storable.value(arguments)
    parsed = tool.parse(arguments)
    normal = parsed.model_dump(mode="json")
    clean = storable.value(normal)
    if clean != normal:
        raise ToolError("the arguments hold characters or sizes that cannot be kept")
    call.proposed = call.arguments = clean
    return parsed


def rule_of(one: Driven, tool: Tool, parsed: BaseModel) -> policy.Rule:
    """Return the tool's approval rule with what it says of these arguments."""
    finding, broken = None, False
    if tool.approval.when is not None:
        try:
            finding = tool.approval.when(parsed)
        except Exception:
            broken = True
    return policy.Rule(
        mode=tool.approval.mode,
        votes=tool.approval.votes,
        reason=tool.approval.reason,
        finding=finding,
        broken=broken,
        least_votes=gates.least_votes(one, tool.name),
    )


async def _prepared(
    one: Driven, tool: Tool, parsed: BaseModel, threads: ToolThreads
) -> tuple[Target | None, str | None]:
    """Let the tool look at the database before anybody is asked; raises ToolError.

    Returns its target and the id of the customer the call is about, as far as it has them.
    """
    if tool.check is None and tool.target is None and tool.customer is None:
        return None, None
    async with threads.slot(one.stopwatch) as slot:
        try:
            return await slot.run(_looked, tool, parsed, timeout_s=PREPARE_S)
        except TimeoutError:
            raise ToolError("its check took too long; nothing was run") from None
        except ToolError:
            raise
        except Exception as error:
            raise ToolError(
                f"its check failed ({type(error).__name__}); nothing was run"
            ) from error


def _looked(tool: Tool, parsed: BaseModel) -> tuple[Target | None, str | None]:
    return tool.look(parsed), tool.customer_of(parsed)

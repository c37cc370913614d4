"""Edit: a person replaces a call's arguments, and somebody else must approve the new ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from agentops.accounts.models import User
from executions.commits import commit
from executions.core import storable
from executions.core.states import CallStatus, ReviewKind, ReviewStatus
from executions.models import AgentReview, AgentToolCall
from executions.operations import rights, rows
from executions.operations.patience import patient
from executions.operations.refusals import EditRefused, NotFound, Refusal, Stale
from tools.base import Tool, ToolError
from tools.registry import ALWAYS_GATED, get_tool

REASON_CHARS = 1000


@dataclass(frozen=True, kw_only=True)
class Edited:
    """Arguments as they would be stored, the version their target has now, and which customer they
    are about."""

    tool: Tool
    arguments: dict[str, Any]
    target_version: str | None
    customer_id: str | None


def checked(*, tool_name: str, arguments: Any) -> Edited:
    """Return the arguments as the tool takes them, or raise EditRefused in its words."""
    try:
        tool = get_tool(tool_name)
        parsed = tool.parse(arguments)
        normal = parsed.model_dump(mode="json")
        if storable.value(normal) != normal:
            raise ToolError("The arguments hold characters or sizes that cannot be kept.")
        target = tool.look(parsed)
    except ToolError as error:
        raise EditRefused(str(error)) from error
    return Edited(
        tool=tool,
        arguments=normal,
        target_version=target.version if target else None,
        customer_id=tool.customer_of(parsed),
    )


@patient
def edit(
    *, review_id: UUID, person: User, arguments: Any, seen_digest: str, reason: str = ""
) -> AgentReview:
    """Put other arguments before people; return their review, the next version.

    `seen_digest` is of the arguments the person began from. Votes on those are void. The person
    may not approve any version of this call from now on. Raises EditRefused, Stale, NotPermitted,
    AlreadyDecided, ReviewClosed, NotFound.
    """
    tool_name = AgentReview.objects.filter(pk=review_id).values_list("tool_name", flat=True).first()
    if tool_name is None:
        raise NotFound(f"There is no review {review_id}.")
    edited = checked(tool_name=tool_name, arguments=arguments)
    with commit("edit"):
        _, review = rows.locked_review(review_id)
        if review.kind != ReviewKind.APPROVAL:
            raise Refusal("A call in doubt keeps its arguments: it may have happened with them.")
        rights.check_permitted(person, review.tool_name)
        rights.check_open(review)
        if seen_digest != review.input_digest:
            raise Stale("The arguments are not those you were shown; look again, then edit.")
        if edited.arguments == review.call.tool_input:
            raise EditRefused("That changes nothing.")
        rows.act_as(person)
        return _replaced(review, person, edited, reason)


def _replaced(review: AgentReview, person: User, edited: Edited, reason: str) -> AgentReview:
    rows.move_review(review, ReviewStatus.VOID)
    why = f": {reason.strip()}" if reason.strip() else "."
    newer = rows.next_version(
        review,
        edited_by=person,
        edited_input=edited.arguments,
        input_digest=rows.digest_of(edited.arguments),
        required_votes=max(
            review.required_votes,
            edited.tool.approval.votes,
            ALWAYS_GATED.get(edited.tool.name, 1),
        ),
        risk=edited.tool.risk_of(edited.arguments),
        reason=storable.text(f"{person} edited the arguments{why}", limit=REASON_CHARS),
        target_version=edited.target_version,
        customer_id=edited.customer_id,
        expires_at=rows.in_future(timedelta(seconds=edited.tool.approval.expires_after_s)),
    )
    AgentToolCall.objects.filter(pk=review.call_id, status=CallStatus.AWAITING_REVIEW).update(
        tool_input=edited.arguments, review_id=newer.pk, target_version=edited.target_version
    )
    return newer

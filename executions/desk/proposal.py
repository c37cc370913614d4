"""What one review puts before a person, made by us from the exact arguments."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.template.loader import select_template
from pydantic import BaseModel

from executions.core.states import CallStatus, ReviewKind
from executions.desk import past
from executions.desk.described import Row, described
from executions.desk.edits import Edit, edit_of
from executions.desk.lateness import with_lateness
from executions.desk.origins import Origins
from executions.desk.parts import Part, parts_of
from executions.models import AgentExecution, AgentReview, AgentToolCall
from executions.operations.withdrawing import undo_s
from executions.pages.wording import action
from tools.base import Tool, ToolError
from tools.looking import Looking, preview_of
from tools.pages import Paper
from tools.read_once import remembered_all

log = logging.getLogger(__name__)

EARLIER = 20
"""So many earlier outputs of one tool a preview may look at."""

FACTS = "desk/preview/facts.html"
FALLBACK = "desk/preview/fields.html"


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """One call before a person.

    `sentence` says what it would do, with the records at hand; `preview` is the tool's own data for
    `template`; `problem` says why it could not be made, or
    why the tool would refuse the call as things stand. `papers` are the PDFs that go with it; of
    arguments that nobody has put before people there are none. `origins`: where its figures come
    from, and `versions`: those of its review, on pages that tell it.
    """

    review: AgentReview
    call: AgentToolCall
    execution: AgentExecution
    sentence: str
    tool: Tool | None
    template: Any
    preview: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    parts: list[Part] = field(default_factory=list)
    arguments: BaseModel | None = None
    papers: list[Paper] = field(default_factory=list)
    origins: Origins | None = None
    versions: Sequence[AgentReview] = ()

    @cached_property
    def edit(self) -> Edit | None:
        """Return what people changed of the agent's proposal."""
        return edit_of(self.call, self.versions)

    @cached_property
    def customer_id(self) -> str | None:
        """Return the customer the call is about, as far as its tool knows."""
        if self.review.customer_id or self.tool is None or self.arguments is None:
            return self.review.customer_id
        return self.tool.customer_of(self.arguments)

    @cached_property
    def _lately(self) -> list[past.Effect]:
        return past.lately(self.review, self.customer_id)

    @property
    def effects(self) -> list[past.Effect]:
        """Return the latest effects on the customer, by whatever tool."""
        return self._lately[: past.SHOWN]

    @property
    def alike(self) -> list[past.Effect]:
        """Return the latest that this call's tool had on the customer."""
        alike = [one for one in self._lately if one.review.tool_name == self.review.tool_name]
        return alike[: past.SHOWN]

    @cached_property
    def recipients(self) -> list[tuple[dict[str, Any], past.Mails]]:
        """Return each recipient of a mail with the mails it had from us before."""
        to = self.preview.get("to", [])
        had = past.mails_to([one["address"] for one in to])
        return [(one, had[one["address"]]) for one in to]

    @property
    def rows(self) -> list[Row]:
        """Return the arguments by the tool's schema, for tools without a preview of their own."""
        return described(self.tool, self.call.tool_input)

    @property
    def must_read(self) -> list[Part]:
        return [part for part in self.parts if part.must_read]

    @property
    def unplaced(self) -> list[Part]:
        """Return the folded parts that the preview above has not shown."""
        return [part for part in self.parts if not part.is_placed]

    def place(self, key: str) -> Part | None:
        """Return the folded part of that key, from now on shown; None if it stands open."""
        found = next((part for part in self.parts if part.key == key), None)
        if found:
            found.is_placed = True
        return found

    @property
    def consequence(self) -> str:
        """Return what follows from an approval, of these arguments if the tool tells them apart."""
        return self.preview.get("consequence") or (self.tool.consequence if self.tool else "")

    @property
    def verb(self) -> str:
        return self.tool.verb if self.tool else "Run it"

    @property
    def undo_s(self) -> int:
        """For how many seconds after the approval it can be taken back."""
        return 0 if self.is_doubt else undo_s(self.tool)

    @property
    def is_doubt(self) -> bool:
        return self.review.kind == ReviewKind.DOUBT

    @property
    def is_replaced(self) -> bool:
        """Whether the call has other arguments by now than this version of the review."""
        return bool(self.call.input_digest != self.review.input_digest)


def find_review(review_id: UUID) -> AgentReview | None:
    """Return the review with its call and execution, read by one query."""
    return (
        with_lateness(AgentReview.objects.all())
        .select_related(
            "call", "execution__user", "execution__launched_by", "edited_by", "claimed_by"
        )
        .filter(pk=review_id)
        .first()
    )


def proposal_of(
    review: AgentReview,
    *,
    arguments: Any = None,
    origins: Origins | None = None,
    beside: Collection[UUID] = (),
    versions: Sequence[AgentReview] = (),
) -> Proposal:
    """Put a review into words and pictures; whatever the tool does, this returns.

    `arguments` are looked at in place of the call's own, for somebody who edits them. `beside`:
    the executions of all that stand on one page, so that what is read of them is read together.
    """
    call = review.call
    if arguments is not None:
        call = copy(call)
        call.tool_input = arguments
    said = action(call.tool_name, call.tool_input)
    preview, problem = _preview(said.tool, said.arguments, _looking(review, beside))
    own = [said.tool.template or FACTS] if preview and said.tool else []
    return Proposal(
        review=review,
        call=call,
        execution=review.execution,
        sentence=preview.get("sentence") or said.headline,
        tool=said.tool,
        template=select_template([*own, FALLBACK]),
        preview=preview,
        problem=said.problem or problem or preview.get("problem") or "",
        parts=parts_of(review.pk, said.tool, call.tool_input),
        arguments=said.arguments,
        papers=preview.get("papers", []) if arguments is None else [],
        origins=origins,
        versions=versions,
    )


def _looking(review: AgentReview, beside: Collection[UUID]) -> Looking:
    """Return what a preview may know of the execution; read only if it asks."""
    own = review.execution_id

    def outputs(name: str) -> list[Any]:
        every = remembered_all(("outputs", name), {own, *beside}, lambda ids: _outputs(name, ids))
        return every[own] or []

    call = review.call
    return Looking(
        version=review.target_version or call.target_version,
        outputs=outputs,
        is_ahead=call.status in (CallStatus.AWAITING_REVIEW, CallStatus.APPROVED),
        answer=call.tool_output if call.status == CallStatus.SUCCEEDED else None,
    )


def _outputs(name: str, executions: list[UUID]) -> dict[UUID, list[Any]]:
    """Return what that tool answered in each of these executions, the latest EARLIER first."""
    latest = Window(
        RowNumber(),
        partition_by="execution",
        order_by=[F("step_number").desc(), F("call_index").desc()],
    )
    calls = AgentToolCall.objects.filter(
        execution__in=executions, tool_name=name, status=CallStatus.SUCCEEDED
    ).annotate(nth=latest)
    found: dict[UUID, list[Any]] = defaultdict(list)
    rows = calls.filter(nth__lte=EARLIER).order_by("nth").values_list("execution", "tool_output")
    for execution, output in rows:
        found[execution].append(output)
    return found


def _preview(
    tool: Tool | None, arguments: BaseModel | None, looking: Looking
) -> tuple[dict[str, Any], str]:
    """Return the tool's preview, or why there is none."""
    if tool is None or tool.preview is None or arguments is None:
        return {}, ""
    try:
        return preview_of(tool, arguments, looking), ""
    except ToolError as error:
        return {}, str(error)
    except Exception as error:
        log.exception("The preview of %s failed", tool.name)
        return {}, f"The preview could not be made ({type(error).__name__})."

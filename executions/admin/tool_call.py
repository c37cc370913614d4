"""The log of tool calls, and one call with its reviews."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from executions.admin.filters import ToolFilter
from executions.admin.inputs import about, executions_about, with_inputs
from executions.admin.readonly import NO_BREAK, column, exact_moment
from executions.admin.searching import Search, SearchedAdmin, with_id_from
from executions.core.states import CallStatus
from executions.models import AgentToolCall
from executions.pages import rights
from executions.pages.frame import PersonRequest
from executions.pages.story import CallStory, reviews_by_call
from executions.templatetags import words
from executions.templatetags.visible import marked

C = CallStatus
TONES = {
    C.RUNNING: "info",
    C.SUCCEEDED: "success",
    C.APPROVED: "success",
    C.FAILED: "danger",
    C.IN_DOUBT: "danger",
    C.AWAITING_REVIEW: "warning",
}


@admin.register(AgentToolCall)
class ToolCallAdmin(SearchedAdmin):
    list_display = ("what", "shown_status", "agent", "step", "kind", "took", "called")
    list_filter = ("status", ToolFilter, "effect", "gated")
    search_fields = ("tool_name",)
    search_help_text = "Customer or other input; id of call or execution, or its start; tool; key"
    list_select_related = ("execution",)
    ordering = ("-called_at", "-id")
    fields = (("tool_name", "status"), ("step_number", "call_index"), ("effect", "gated"))
    change_form_outer_after_template = "admin/executions/call.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AgentToolCall]:
        rows: QuerySet[AgentToolCall] = super().get_queryset(request)
        payloads = ("tool_input", "tool_output", "proposed_input")
        of_execution = ("input_data", "state", "result", "limits")
        rows = rows.defer(*payloads, *(f"execution__{name}" for name in of_execution))
        return with_inputs(rows, "execution__input_data")

    def searches(self, rows: QuerySet[Any], term: str) -> Iterator[Search]:
        yield with_id_from(rows, term)
        yield with_id_from(rows, term, field="execution_id")
        yield rows.filter(tool_name=term)
        yield rows.filter(execution__in=executions_about(term))
        yield rows.filter(idempotency_key=term)

    def shown_with(self, request: PersonRequest, pk: UUID) -> dict[str, Any]:
        call = AgentToolCall.objects.filter(pk=pk).first()
        if call is None:
            return {}
        reviews = reviews_by_call(call.execution_id).get(call.pk, [])
        decidable = rights.decidable_tools(request.user)
        return {"call": CallStory(call, reviews), "decidable": decidable}

    @column("call", header=True)
    def what(self, row: AgentToolCall) -> tuple[str, str]:
        return marked(row.tool_name), str(row.pk)[:8]

    @column("status", label=TONES)
    def shown_status(self, row: AgentToolCall) -> tuple[str, str]:
        return row.status, row.status.replace("_", " ")

    @column("execution", header=True)
    def agent(self, row: AgentToolCall) -> tuple[str, str]:
        return row.execution.agent_type, about(row) or str(row.execution_id)[:8]

    @column("step")
    def step(self, row: AgentToolCall) -> str:
        beside = f",{NO_BREAK}call{NO_BREAK}{row.call_index + 1}" if row.call_index else ""
        return f"{row.step_number}{beside}"

    @column("effect")
    def kind(self, row: AgentToolCall) -> str:
        return f"{row.effect}, needs people" if row.gated else row.effect

    @column("called")
    def called(self, row: AgentToolCall) -> str:
        return exact_moment(row.called_at)

    @column("took")
    def took(self, row: AgentToolCall) -> str:
        return words.duration(row.latency_ms)

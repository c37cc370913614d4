"""The list of executions, and one execution with its whole story."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from executions.admin.filters import AgentFilter, FinishedFilter
from executions.admin.inputs import about, executions_about, with_inputs
from executions.admin.readonly import column, exact_moment
from executions.admin.searching import Search, SearchedAdmin, with_id_from
from executions.agents import all_agents
from executions.core.states import ExecutionStatus
from executions.models import AgentExecution
from executions.models.execution import ExecutionQuerySet
from executions.pages import rights, sentences
from executions.pages.frame import PersonRequest
from executions.pages.story import story_of
from executions.templatetags import words

S = ExecutionStatus
STOP_REASON = re.compile(r"[A-Za-z]+(_[A-Za-z]+)*")
TONES = {
    S.RUNNING: "info",
    S.COMPLETED: "success",
    S.FAILED: "danger",
    S.AWAITING_REVIEW: "warning",
}


@admin.register(AgentExecution)
class ExecutionAdmin(SearchedAdmin):
    list_display = ("what", "shown_status", "steps", "tokens", "cost", "launched", "took", "reason")
    list_filter = ("status", AgentFilter, FinishedFilter)
    search_fields = ("agent_type",)
    search_help_text = "Customer or other input, id or its start, agent, stop reason, key"
    list_select_related = ("user",)
    ordering = ("-created_at", "-id")
    fields = (
        ("agent_type", "status"),
        ("user", "launched_by"),
        ("priority", "idempotency_key"),
        ("lease_owner", "lease_token"),
        ("shown_definition", "retry_of_id"),
    )
    readonly_fields = ("shown_definition", "retry_of_id")
    change_form_outer_after_template = "admin/executions/story.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AgentExecution]:
        rows: ExecutionQuerySet = super().get_queryset(request)
        return with_inputs(rows.without_payloads())

    def searches(self, rows: QuerySet[Any], term: str) -> Iterator[Search]:
        yield with_id_from(rows, term)
        yield rows.filter(agent_type=term)
        yield rows.filter(pk__in=executions_about(term))
        agents = [one.name for one in all_agents()]
        yield rows.filter(agent_type__in=agents, idempotency_key=term)
        if STOP_REASON.fullmatch(term):
            yield rows.filter(stop_reason=term.upper())

    def shown_with(self, request: PersonRequest, pk: UUID) -> dict[str, Any]:
        story = story_of(pk)
        if story is None:
            return {}
        return {
            "story": story,
            "execution": story.execution,
            "headline": sentences.headline(story),
            "transitions": [(row, sentences.event(row)) for row in story.transitions],
            "decidable": rights.decidable_tools(request.user),
        }

    @column("execution", header=True)
    def what(self, row: AgentExecution) -> tuple[str, str]:
        whose = f"{str(row.pk)[:8]} for {row.user.get_username()}"
        return row.agent_type, " · ".join(filter(None, (about(row), whose)))

    @column("status", label=TONES)
    def shown_status(self, row: AgentExecution) -> tuple[str, str]:
        return row.status, row.status.replace("_", " ")

    @column("definition")
    def shown_definition(self, row: AgentExecution) -> str:
        return (row.definition_id or words.NOTHING)[:16]

    @column("steps")
    def steps(self, row: AgentExecution) -> int:
        return row.step_count

    @column("tokens")
    def tokens(self, row: AgentExecution) -> str:
        return words.number(row.token_count)

    @column("cost")
    def cost(self, row: AgentExecution) -> str:
        return words.usd(row.cost_usd)

    @column("launched")
    def launched(self, row: AgentExecution) -> str:
        return exact_moment(row.created_at)

    @column("took")
    def took(self, row: AgentExecution) -> str:
        if row.completed_at is None:
            return words.NOTHING
        return words.duration((row.completed_at - row.created_at).total_seconds() * 1000)

    @column("stop reason")
    def reason(self, row: AgentExecution) -> str:
        return row.stop_reason or words.NOTHING

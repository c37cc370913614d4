"""The list of executions, and one execution with its whole story."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from executions.admin.filters import AgentFilter, FinishedFilter
from executions.admin.readonly import (
    ReadOnlyAdmin,
    column,
    exact_moment,
    first_that_finds,
    with_id_from,
)
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
class ExecutionAdmin(ReadOnlyAdmin):
    list_display = ("what", "shown_status", "steps", "tokens", "cost", "launched", "took", "reason")
    list_filter = ("status", AgentFilter, FinishedFilter)
    search_fields = ("agent_type",)
    search_help_text = "Id or its start, agent, stop reason, key"
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
        return rows.without_payloads()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by what an index answers; other words find nothing rather than everything."""
        term = search_term.strip()
        if not term:
            return queryset, False
        agents = [one.name for one in all_agents()]
        found = first_that_finds(
            with_id_from(queryset, term),
            queryset.filter(agent_type=term),
            queryset.filter(agent_type__in=agents, idempotency_key=term),
            queryset.filter(stop_reason=term.upper()) if STOP_REASON.fullmatch(term) else None,
        )
        return queryset.none() if found is None else found, False

    def change_view(
        self,
        request: PersonRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = self._story(request, object_id)
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def _story(self, request: PersonRequest, object_id: str) -> dict[str, Any]:
        try:
            story = story_of(UUID(object_id))
        except ValueError:
            story = None
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
        return row.agent_type, f"{str(row.pk)[:8]} for {row.user.get_username()}"

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

"""How quick the pages are that people open on a long history: real views, real queries."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agentops.accounts.models import User
from bench.table import times_ms
from executions.models import AgentExecution, AgentReview

CALLS = "admin:executions_agenttoolcall_changelist"
EXECUTIONS = "admin:executions_agentexecution_changelist"


def addresses() -> dict[str, str]:
    """Return what is opened, by its name in the table."""
    newest = AgentExecution.objects.order_by("-created_at").first()
    review = AgentReview.objects.filter(status="open").first()
    assert newest
    assert review
    executions, calls = reverse(EXECUTIONS), reverse(CALLS)
    start, last = str(newest.pk)[:8], min(100, max(1, AgentExecution.objects.count() // 50))
    return {
        "executions": executions,
        "executions, failed": f"{executions}?status__exact=failed",
        "executions, waiting": f"{executions}?status__exact=awaiting_review",
        "executions, of an agent": f"{executions}?agent={newest.agent_type}",
        "executions, ended within 7 days": f"{executions}?finished=7d",
        "executions, ended within 7 days, failed": f"{executions}?finished=7d&status__exact=failed",
        "executions, a late page": f"{executions}?p={last}",
        "executions, found by id": f"{executions}?q={start}",
        "executions, by stop reason": f"{executions}?q=llm_unavailable",
        "executions, by nothing": f"{executions}?q=nothing",
        "calls": calls,
        "calls, failed": f"{calls}?status__exact=failed",
        "calls, gated": f"{calls}?gated__exact=1",
        "calls, of a tool": f"{calls}?tool=send_email",
        "calls, of an effect": f"{calls}?effect__exact=once",
        "calls, a late page": f"{calls}?p={last}",
        "calls, by id": f"{calls}?q={start}",
        "story": reverse("execution", args=[newest.pk]),
        "reviews": reverse("reviews"),
        "review": reverse("review", args=[review.pk]),
        "metrics, 24 hours": f"{reverse('metrics')}?window=24h",
        "metrics, 30 days": f"{reverse('metrics')}?window=30d",
    }


def measure(*, times: int) -> dict[str, dict[str, Any]]:
    """Open each page so often as somebody who may see all; return times and query counts."""
    person, _ = User.objects.get_or_create(username="olga", defaults={"is_staff": True})
    person.user_permissions.set(Permission.objects.all())
    client = Client(headers={"host": "localhost"})
    client.force_login(person)
    return {name: _opened(client, address, times) for name, address in addresses().items()}


def _opened(client: Client, address: str, times: int) -> dict[str, Any]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200, address
        count = len(queries)
    took = []
    for _ in range(times):
        began = time.perf_counter()
        client.get(address)
        took.append(time.perf_counter() - began)
    return {**times_ms(took), "queries": count}

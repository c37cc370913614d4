"""Executions and tool calls in the admin: to look at, to find, never to change."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.paginator import EmptyPage
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agentops.accounts.models import User
from executions.admin import paginator
from executions.models import AgentExecution, AgentToolCall
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db

EXECUTIONS = "admin:executions_agentexecution"
CALLS = "admin:executions_agenttoolcall"
PAYLOADS = (
    *('"agent_executions"."input_data"', '"agent_executions"."result"'),
    *('"agent_executions"."state"', '"tool_input"', '"tool_output"', '"proposed_input"'),
)


@pytest.fixture
def olga(client: Client) -> User:
    may = ["view_agentexecution", "view_agenttoolcall"]
    person = factories.person("olga", may=may, is_staff=True)
    client.force_login(person)
    return person


def listed(client: Client, place: str = EXECUTIONS, **query: str) -> list[str]:
    """The ids in the list, in its order."""
    response = client.get(reverse(f"{place}_changelist"), query)
    assert response.status_code == 200, response.headers.get("Location")
    return [str(row.pk) for row in response.context["cl"].result_list]


def test_the_newest_execution_comes_first(client: Client, olga: User) -> None:
    new = factories.execution()
    old = factories.execution(created_at=new.created_at - timedelta(seconds=1))
    assert listed(client) == [str(new.pk), str(old.pk)]


def test_even_a_superuser_changes_nothing(client: Client) -> None:
    one = desk.proposed().execution
    client.force_login(factories.person("admin", is_superuser=True, is_staff=True))
    for place, key in ((EXECUTIONS, one.pk), (CALLS, one.tool_calls.get().pk)):
        change = reverse(f"{place}_change", args=[key])
        assert client.get(reverse(f"{place}_add")).status_code == 403
        assert client.post(change, {"agent_type": "other"}).status_code == 403
        assert (
            client.post(reverse(f"{place}_delete", args=[key]), {"post": "yes"}).status_code == 403
        )
        action = {"action": "delete_selected", "_selected_action": str(key), "post": "yes"}
        client.post(reverse(f"{place}_changelist"), action)
    assert AgentExecution.objects.filter(pk=one.pk, agent_type="customer_record_steward").exists()
    assert AgentToolCall.objects.count() == 1


def test_without_the_right_nobody_looks(client: Client) -> None:
    client.force_login(factories.person("sam", is_staff=True))
    assert client.get(reverse(f"{EXECUTIONS}_changelist")).status_code == 403
    assert client.get(reverse(f"{CALLS}_changelist")).status_code == 403


@pytest.mark.parametrize("place", [EXECUTIONS, CALLS])
def test_a_list_reads_no_payloads_and_no_distinct_values(
    client: Client, olga: User, place: str
) -> None:
    desk.proposed()
    with CaptureQueriesContext(connection) as queries:
        listed(client, place)
    for query in queries:
        columns = query["sql"].split(" FROM ")[0]
        assert "DISTINCT" not in query["sql"]
        whole = re.sub(r"\(\S+ ->> [^)]*\)", "", columns)  # a value of the input, cut short
        assert not [name for name in PAYLOADS if name in whole], query["sql"]
    assert len(queries) <= 14


def test_filters_narrow_by_agent_status_and_end(client: Client, olga: User) -> None:
    waiting = desk.proposed().execution
    ended = factories.running(agent_type="compliance_document_generator")
    factories.change(ended, status="completed", completed_at=Now(), lease_owner=None)
    assert listed(client, agent="customer_record_steward") == [str(waiting.pk)]
    assert listed(client, status__exact="completed") == [str(ended.pk)]
    assert listed(client, finished="24h") == [str(ended.pk)]
    assert listed(client, finished="24h", agent="customer_record_steward") == []
    assert len(listed(client, finished="nonsense")) == 2


@pytest.mark.parametrize("chars", [8, 13, 36])
def test_an_execution_is_found_by_its_id_or_the_start_of_it(
    client: Client, olga: User, chars: int
) -> None:
    one, _ = factories.execution(), factories.execution()
    assert listed(client, q=str(one.pk)[:chars]) == [str(one.pk)]


def test_an_execution_is_found_by_agent_stop_reason_and_key(client: Client, olga: User) -> None:
    failed = factories.running(agent_type="customer_record_steward", idempotency_key="order 66")
    factories.change(
        failed, status="failed", stop_reason="POISONED", completed_at=Now(), lease_owner=None
    )
    factories.execution(agent_type="two")
    for term in ("customer_record_steward", "poisoned", " order 66 "):
        assert listed(client, q=term) == [str(failed.pk)]
    assert listed(client, q="nothing like this") == []


def test_what_became_of_a_customer_is_found_by_input_and_by_what_was_proposed(
    client: Client, olga: User
) -> None:
    asked = factories.execution(
        agent_type="compliance_document_generator",
        input_data={"customer_id": "C-1003", "regulation_code": "AML-6"},
    )
    proposed = desk.proposed(customer="C-1003")
    desk.proposed(customer="C-1004")
    assert set(listed(client, q=" C-1003")) == {str(asked.pk), str(proposed.execution_id)}
    assert listed(client, q="AML-6") == [str(asked.pk)]
    assert listed(client, CALLS, q="C-1003") == [str(proposed.call_id)]
    assert len(listed(client, CALLS, q="M-2001")) == 2


def test_a_row_says_what_it_is_about(client: Client, olga: User) -> None:
    factories.execution(
        agent_type="compliance_document_generator",
        input_data={"customer_id": "C-1003\u202e<b>", "regulation_code": "x" * 99},
    )
    call = desk.proposed().call
    page = client.get(reverse(f"{EXECUTIONS}_changelist")).content.decode()
    assert "C-1003" in page
    assert "\u202e" not in page
    assert "x" * 60 in page
    assert "x" * 61 not in page
    assert f"M-2001 · {str(call.execution_id)[:8]}" in page
    calls = client.get(reverse(f"{CALLS}_changelist")).content.decode()
    assert "M-2001" in calls
    assert re.search(r">\s*\d+\.0\s*<", calls) is None


def test_an_empty_list_offers_nothing_that_cannot_be_done(client: Client, olga: User) -> None:
    page = client.get(reverse(f"{EXECUTIONS}_changelist"), {"q": "C-9999"}).content.decode()
    assert "Nothing here fits" in page
    assert "Create a new item" not in page
    assert "Show all executions" in page
    empty = client.get(reverse(f"{EXECUTIONS}_changelist")).content.decode()
    assert "There are no executions yet" in empty


def test_a_call_is_found_by_its_own_id_its_executions_and_its_tool(
    client: Client, olga: User
) -> None:
    mail = desk.proposed().call
    change = desk.proposed("update_customer_record", desk.CHANGE).call
    assert listed(client, CALLS, q=str(mail.pk)[:8]) == [str(mail.pk)]
    assert listed(client, CALLS, q=str(change.execution_id)) == [str(change.pk)]
    assert listed(client, CALLS, q="send_email") == [str(mail.pk)]
    assert listed(client, CALLS, tool="update_customer_record") == [str(change.pk)]


@pytest.mark.parametrize("term", ["'; DROP TABLE x; --", "%", "\\", "\u202e", "x" * 500])
def test_a_strange_search_finds_nothing_and_breaks_nothing(
    client: Client, olga: User, term: str
) -> None:
    factories.execution()
    assert listed(client, q=term) == []


def test_the_detail_tells_the_whole_story_and_leads_to_its_page(client: Client, olga: User) -> None:
    one = desk.proposed().execution
    page = client.get(reverse(f"{EXECUTIONS}_change", args=[one.pk])).content.decode()
    for part in ("Waits for a person: Send an e-mail", desk.SAYS, "Moment by moment"):
        assert part in page
    assert reverse("execution", args=[one.pk]) in page


def test_a_call_shows_its_review_and_leads_to_its_execution(client: Client, olga: User) -> None:
    call = desk.proposed().call
    page = client.get(reverse(f"{CALLS}_change", args=[call.pk])).content.decode()
    assert "Put before people" in page
    assert "Dear Ms Duarte" in page
    assert reverse("execution", args=[call.execution_id]) in page


@pytest.mark.parametrize("place", [EXECUTIONS, CALLS])
def test_an_id_that_is_none_leads_home(client: Client, olga: User, place: str) -> None:
    response = client.get(reverse(f"{place}_change", args=["nonsense"]))
    assert response.status_code == 302


def test_the_side_counts_the_open_reviews(client: Client) -> None:
    desk.proposed()
    may = ["view_agentexecution", "approve_*"]
    client.force_login(factories.person("rita", may=may, is_staff=True))
    page = client.get(reverse("admin:index")).content.decode()
    side = page[page.index("fact_check") :]
    assert side[: side.index("play_circle")].split().count("1") == 1


def test_nobody_can_write_a_schedule_in_the_admin() -> None:
    registered = {model._meta.app_label for model in admin.site._registry}
    assert "django_q" not in registered
    assert apps.is_installed("django_q")


class TestCounting:
    def pages(self, rows: Any, *, cap: int, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setattr(paginator, "CAP", cap)
        return paginator.EstimatedPaginator(rows, 2)

    def test_it_is_exact_where_that_is_cheap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(3):
            factories.execution()
        pages = self.pages(AgentExecution.objects.newest_first(), cap=10, monkeypatch=monkeypatch)
        assert (pages.count, pages.num_pages, pages.qualifier) == (3, 2, "")

    def test_a_filtered_count_stops_at_the_cap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(6):
            factories.execution()
        rows = AgentExecution.objects.filter(status="pending").order_by("created_at")
        pages = self.pages(rows, cap=4, monkeypatch=monkeypatch)
        assert (pages.count, pages.num_pages, pages.qualifier) == (4, 2, "more than")

    def test_a_whole_table_is_estimated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pages = self.pages(AgentExecution.objects.newest_first(), cap=4, monkeypatch=monkeypatch)
        monkeypatch.setattr(pages, "_estimate", lambda: 1_234_567)
        assert (pages.count, pages.qualifier) == (1_234_567, "about")
        assert pages.num_pages == 2
        with pytest.raises(EmptyPage):
            pages.page(3)

    def test_a_table_never_analysed_is_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        factories.execution()
        pages = self.pages(AgentExecution.objects.newest_first(), cap=4, monkeypatch=monkeypatch)
        monkeypatch.setattr(pages, "_estimate", lambda: -1)
        assert pages.count == 1

"""Stored text stays text: two hundred payloads in every column, on every page of the site, in
files, letters and terminals (S9, S13, S14, S23). `tests/browser/test_hostile_text.py` looks with a
browser."""

from __future__ import annotations

import json
import re
import unicodedata
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from executions.models import AgentExecution, AgentNotification, AgentReview, AgentToolCall
from executions.notifications import letters
from tests import factories
from tests.browser import scene
from tests.executions import desk, hostile
from tests.support.inert import MARKUP, Inert
from tests.support.payloads import EVERY, TEXT, markers

pytestmark = pytest.mark.django_db

# Columns that a page shows, long as they are. One that is shown no more is taken out here.
SHOWN_OF = {
    "agent_audit": "detail",
    "agent_controls": "reason",
    "agent_executions": "error input_data result",
    "agent_review_votes": "reason",
    "agent_reviews": "reason",
    "agent_steps": "llm problem response",
    "agent_tool_calls": "error proposed_input tool_output",
    "tools_customer": "name",
    "tools_document": "text title",
    "tools_regulator": "name",
}
SHOWN = {f"{table}.{name}" for table, names in SHOWN_OF.items() for name in names.split()}


def test_what_is_not_escaped_is_noticed() -> None:
    assert all(Inert(f"<p>{one}</p>").wrong for one in MARKUP)
    assert not Inert(f"<p title='{escape(TEXT)}'>{escape(TEXT)}</p>").wrong
    assert len(MARKUP) > 140


def test_no_page_takes_stored_text_for_more_than_text(client: Client) -> None:
    pages = hostile.build()
    client.force_login(scene.administrator())
    wrong, columns, frames = [], set(), 0
    for name, address in pages.items():
        response = client.get(address)
        assert response.status_code < 500, name
        page = response.content.decode()
        read = Inert(page)
        wrong += [f"{name}: {one}" for one in read.wrong]
        columns |= set(re.findall(r"column ([\w.]+) ends", page))
        if name.startswith(("review ", "story ")):
            assert read.shown == EVERY, f"{name} does not show all it has"
        frames += "<iframe" in page and "pwn" in page.partition("srcdoc=")[2].partition(">")[0]
    assert not wrong, "\n".join(wrong)
    assert frames, "no mail in a frame was hostile"
    assert columns >= SHOWN, f"No page shows these: {SHOWN - columns}"


def test_a_file_of_output_is_saved_whatever_is_in_it_and_in_its_name(client: Client) -> None:
    """The name of a tool that is not there is the LLM's own."""
    hostile.build()
    client.force_login(scene.administrator())
    for call in AgentToolCall.objects.all():
        response = client.get(reverse("call-output", args=[call.pk]))
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Content-Disposition"].startswith("attachment; ")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert not response.cookies
        assert json.loads(response.content) == call.tool_output


def test_no_letter_holds_what_others_wrote() -> None:
    """S14: arguments, reasons and an LLM's words are on the page, behind the login."""
    hostile.build()
    person = factories.person("mia", email="mia@example.org")
    reviews = AgentReview.objects.filter(tool_name__in=desk.EFFECTS)
    assert reviews.exists()
    for review in reviews:
        letter = letters.write(person, [AgentNotification(review=review)])
        whole = letter.message().as_string()
        assert not markers(whole)
        assert "Set-Cookie" not in whole


def test_no_terminal_is_told_what_to_do() -> None:
    """S13: whatever an execution holds, its story in the shell is lines of visible characters."""
    hostile.build()
    for one in AgentExecution.objects.order_by("-created_at")[:12]:
        for options in ({}, {"json": True}):
            out = StringIO()
            call_command("show_execution", str(one.pk), stdout=out, **options)
            odd = {char for char in out.getvalue() if unicodedata.category(char) in ("Cc", "Cf")}
            assert odd <= {"\n"}, one.pk

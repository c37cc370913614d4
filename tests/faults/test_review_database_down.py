"""The database goes away while a person decides: they are told, and may send it again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.urls import reverse

from agentops.accounts.models import User
from executions import faults
from executions.engine.connections import parameters
from executions.models import AgentReviewVote
from tests import factories
from tests.executions import desk
from tests.support.browsing import Browser
from tests.support.waiting import wait_until


@pytest.fixture
def rita(committed_db: None) -> User:
    desk.load_sample_data()
    return factories.reviewer("rita")


@pytest.fixture
def browser(rita: User) -> Browser:
    made = Browser(rita)
    made.client.raise_request_exception = False
    return made


@contextmanager
def database_away() -> Iterator[None]:
    """Nobody can connect, and whoever was connected is not any more."""
    name = connection.settings_dict["NAME"]
    with psycopg.connect(**{**parameters(), "dbname": "postgres"}, autocommit=True) as outside:
        outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            found = outside.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s",
                [name],
            ).fetchone()
            assert found is not None
            assert found[0] >= 1, "nobody was connected"
            yield
        finally:
            connection.close()
            outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_what_could_not_be_saved_says_so_and_is_sent_again(browser: Browser) -> None:
    """R14: 503 "not saved", with the same form and token, which then counts once."""
    review = desk.proposed()
    browser.load(desk.url(review))
    form = desk.form(review, "reject", "Not like this.\nReally not.")
    with database_away():
        status, page = browser.send(desk.url(review, "decide"), form)
        assert status == 503
        assert "so what you sent was most likely not saved" in page
        assert "Not like this." in page
        token = browser.client.cookies["csrftoken"].value
        for name, value in {**form, "csrfmiddlewaretoken": token}.items():
            assert f'name="{name}" value="{value}"' in page
        assert f'action="{desk.url(review, "decide")}"' in page
        assert browser.client.get(desk.url(review)).status_code == 503
    assert not AgentReviewVote.objects.exists()
    assert browser.send(desk.url(review, "decide"), form)[0] == 302
    assert browser.send(desk.url(review, "decide"), form)[0] == 200
    assert review.votes.count() == 1


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_connection_lost_around_the_commit_is_told_and_sending_again_is_safe(
    browser: Browser, side: str
) -> None:
    """R14: lost before COMMIT: nothing is stored. Lost after it: stored, and told so next time."""
    review = desk.proposed()
    browser.load(desk.url(review))
    struck: list[str] = []

    def strike(point: str, conn: Any) -> None:
        if point != f"decide.{side}" or struck:
            return
        struck.append(point)
        pid = conn.connection.info.backend_pid
        with psycopg.connect(**parameters(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        conn.cursor().execute("SELECT 1")

    form = desk.form(review, "approve")
    faults.install(strike)
    try:
        status, page = browser.send(desk.url(review, "decide"), form)
    finally:
        faults.install(None)
        connection.close()
    assert struck == [f"decide.{side}"]
    assert status == 503
    assert "Send it again" in page
    assert review.votes.count() == (side == "after")
    status, page = browser.send(desk.url(review, "decide"), form)
    assert status == (302 if side == "before" else 200)
    assert review.votes.count() == 1
    assert factories.fresh(review).status == "approved"


def test_a_password_is_never_shown_back(browser: Browser) -> None:
    """R14: the login form, too, is answered with 503, but without what was typed."""
    browser.load(reverse("login"))
    with database_away():
        given = {"username": "rita", "password": "my secret", "next": ""}
        status, page = browser.send(reverse("login"), given)
    assert status == 503
    assert "my secret" not in page
    assert "The database does not answer" in page


def test_no_form_with_a_password_is_shown_back(browser: Browser) -> None:
    """R14: whatever its fields are called; the admin's forms have several of them."""
    browser.load(reverse("login"))
    with database_away():
        for name in ("password1", "old_password", "usable_password"):
            status, page = browser.send(reverse("admin:accounts_user_add"), {name: "my secret"})
            assert status == 503
            assert "my secret" not in page


def test_a_decision_that_waits_for_a_lock_when_the_database_goes_is_not_saved(
    browser: Browser,
) -> None:
    """R14: in the middle of the operation."""
    review = desk.proposed()
    browser.load(desk.url(review))
    answers: list[tuple[int, str]] = []
    form = desk.form(review, "approve")

    def send() -> None:
        answers.append(browser.send(desk.url(review, "decide"), form))
        connection.close()

    with psycopg.connect(**parameters()) as holder:
        holder.execute("SELECT 1 FROM agent_executions FOR UPDATE")
        sender = threading.Thread(target=send)
        sender.start()
        _end_whoever_waits_for(holder)
        sender.join(20)
    assert answers[0][0] == 503
    assert review.votes.count() == 0
    assert browser.send(desk.url(review, "decide"), form)[0] == 302


def _end_whoever_waits_for(holder: psycopg.Connection[Any]) -> None:
    def ended() -> bool:
        with psycopg.connect(**parameters(), autocommit=True) as other:
            row = other.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE %s = ANY (pg_blocking_pids(pid))",
                [holder.info.backend_pid],
            ).fetchone()
        return bool(row and row[0])

    wait_until(ended, what="the decision waits for the lock")

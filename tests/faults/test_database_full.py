"""The database refuses for a while: no room, no connection left, a table being altered."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions.engine.connections import parameters
from executions.models import AgentExecution
from tests.executions import desk
from tests.faults.checking import nothing_is_violated
from tests.faults.planting import planted
from tests.journeys.conftest import approve_open, launch, until
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, READ, REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle, standing_runner
from tests.support.waiting import wait_until
from tools.models import Document

TIMES = 3


def story(*, reads: int = 1) -> AgentExecution:
    return launch(REHEARSED.name, rehearse=[*[calls(READ)] * reads, text()])


@pytest.mark.parametrize("table", ["agent_steps", "agent_tool_calls"])
def test_an_execution_waits_for_room_on_the_databases_disk(
    llm: RehearsalServer, table: str
) -> None:
    """D9: PostgreSQL's "disk full", raised by a trigger; the journal goes on when it is over."""
    one = story()
    with planted("disk_full", on=table, times=TIMES) as fired:
        run_until_idle(base_url=llm.base_url)
        assert fired() == TIMES
    until(one, "completed", within_s=1)
    assert (one.attempts, one.step_count) == (0, 2)
    nothing_is_violated()


def test_a_decision_without_room_is_told_as_not_taken(
    client: Client, reviewers: list[User]
) -> None:
    """D9: a page with status 503, nothing half done, and the same form is taken later."""
    review = desk.proposed()
    client.force_login(reviewers[0])
    client.raise_request_exception = False
    form = {"decision": "approve", "seen_digest": review.input_digest, "reason": ""}
    with planted("disk_full", on="agent_review_votes", times=1) as fired:
        assert client.post(desk.url(review, "decide"), form).status_code == 503
        assert fired() == 1
        assert (review.votes.count(), AgentExecution.objects.get().status) == (0, "awaiting_review")
        assert client.post(desk.url(review, "decide"), form).status_code == 302
    assert review.votes.count() == 1


@pytest.mark.usefixtures("llm")
def test_a_document_without_room_is_not_stored_at_all() -> None:
    """D9: documents are rows: there is no store beside the database that could be full."""
    document = Document(
        document_id="DOC-0123456789ab", kind=Document.REPORT, title="t", text="t",
        content=b"t", content_type="text/plain", sha256="0" * 64, pages=1,
    )  # fmt: skip
    with planted("disk_full", on="tools_document", times=1) as fired:
        with pytest.raises(OperationalError, match="planted"):
            document.save(force_insert=True)
        assert fired() == 1
    assert not Document.objects.filter(pk=document.pk).exists()
    document.save(force_insert=True)


@contextmanager
def full_log() -> Iterator[list[str]]:
    """A log file on a full disk; yields the names of what could not be written."""
    refused: list[str] = []

    class Watched(logging.StreamHandler):  # type: ignore[type-arg]
        def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
            refused.append(record.name)

    stream = open("/dev/full", "w", buffering=1)  # noqa: SIM115 - closing it fails, too
    handler, root = Watched(stream), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield refused
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        with pytest.raises(OSError, match="No space left"):
            stream.close()


def test_a_log_on_a_full_disk_ends_no_execution(llm: RehearsalServer) -> None:
    """D9: every line of the log fails with the kernel's ENOSPC (/dev/full)."""
    one = story()
    with full_log() as refused:
        run_until_idle(base_url=llm.base_url)
        assert len(refused) > 5
    until(one, "completed", within_s=1)
    nothing_is_violated()


@contextmanager
def no_connection_left() -> Iterator[None]:
    """PostgreSQL refuses new connections to this database (53300), as at max_connections."""
    name = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            psycopg.connect(**parameters())
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")


def engines_backends() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'agentops %%'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def test_a_runner_that_gets_no_connection_backs_off_and_loses_nothing(
    llm: RehearsalServer, caplog: pytest.LogCaptureFixture
) -> None:
    """D8: journal, lease and claims ask again until there is room; the lease outlives it."""
    llm.add_faults([{"fault": "delay", "delay_s": 1}])
    with standing_runner(base_url=llm.base_url):
        one = story(reads=2)
        wait_until(lambda: llm.fired() == [1], what="the LLM call under way")
        with no_connection_left():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(p, 2000) FROM unnest(%s) p",
                               [engines_backends()])  # fmt: skip
            wait_until(lambda: caplog.text.count("too many connections") >= TIMES, what="back-off")
            one.refresh_from_db()
            assert one.status == "running"
        until(one, "completed", within_s=20)
    assert one.lease_token == 1, "it was taken over, although its runner lived"
    nothing_is_violated()


def test_a_page_without_a_connection_says_try_again(client: Client, reviewers: list[User]) -> None:
    """D8: 503, and the same page comes when there is room."""
    client.force_login(reviewers[0])
    client.raise_request_exception = False
    with psycopg.connect(**parameters()) as held, no_connection_left():
        connection.close()
        response = client.get(reverse("reviews"))
        assert response.status_code == 503
        assert response.headers["Retry-After"]
        held.close()
    assert client.get(reverse("reviews")).status_code == 200


@pytest.mark.slow
def test_a_migration_during_traffic_stops_nobody(
    llm: RehearsalServer, reviewers: list[User]
) -> None:
    """D10: columns come (expand) and go (contract) under a standing runner and its reviewers."""
    tables = ("agent_executions", "agent_tool_calls", "agent_reviews", "agent_steps")
    waited = 0

    def alter(change: str) -> int:
        """Do as docs/operating.md says: a short lock time-out, and again."""
        tries = 0
        for table in tables:
            while True:
                tries += 1
                with psycopg.connect(**parameters()) as other:
                    other.execute("SET LOCAL lock_timeout = '200ms'")
                    try:
                        other.execute(f"ALTER TABLE {table} {change}")
                        break
                    except psycopg.errors.LockNotAvailable:
                        other.rollback()
        return tries

    with standing_runner(base_url=llm.base_url):
        ones = []
        for change in ("ADD COLUMN later text DEFAULT 'x'", "DROP COLUMN later"):
            ones += [launch(REHEARSED.name, rehearse=[calls(READ, LETTER), text()]) for _ in "123"]
            for one in ones[-3:]:
                until(one, "awaiting_review")
            ones += [story(reads=3) for _ in "123"]
            waited += alter(change)
            for one in ones:
                approve_open(one, reviewers)
        for one in ones:
            until(one, "completed", within_s=20)
    assert waited >= 2 * len(tables)
    nothing_is_violated()

"""Connections cut in the middle, or while nobody looked: wholly done or not at all, then again."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError, close_old_connections, connection, connections
from django.db.models.functions import Now

from agentops.accounts.models import User
from agentops.dev import ports
from executions import faults, operations
from executions.engine import tickets
from executions.engine.broker import PostgresBroker
from executions.engine.connections import parameters
from executions.operations.deciding import expire_overdue
from tests import factories
from tests.executions import stories
from tests.faults.checking import nothing_is_violated
from tests.journeys.conftest import launch, until
from tests.rehearsal_server import RehearsalServer
from tests.support.processes import ChildProcess
from tests.support.rehearsed_agent import READ, REHEARSED, calls, text
from tests.support.standing_runner import standing_runner
from tests.support.waiting import wait_until

CUSTOMER = "ana.duarte@marlowe-shipping.example"


def cut_idle(*, but: int | None = None) -> int:
    """Terminate every idle backend of this database, the test's own apart; return how many."""
    with psycopg.connect(**parameters(), autocommit=True) as other:
        found = other.execute(
            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'idle'"
            " AND pid NOT IN (pg_backend_pid(), %s)) AS gone",
            [but or 0],
        ).fetchone()
        assert found
        return int(found[0])


# ------------------------------------------------------------------ D2: at each query


class CutAt:
    """Terminates the operation's own backend before its n-th statement, or before its COMMIT."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen = 0
        self.fired = False

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.seen += 1
        if self.seen == self.number:
            self.fired = True
            terminate_own()
        return execute(sql, params, many, context)


@contextmanager
def cut_before_commit(at: CutAt) -> Iterator[list[str]]:
    """Terminate the backend when all statements are through; what is yielded says that it was."""
    cut: list[str] = []

    def hook(point: str, _: Any) -> None:
        if point.endswith(".before") and not at.fired:
            cut.append("COMMIT")
            terminate_own()

    faults.install(hook)
    try:
        yield cut
    finally:
        faults.install(None)


def terminate_own() -> None:
    with psycopg.connect(**parameters(), autocommit=True) as other:
        pid = connection.connection.info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s, 2000)", [pid])


@dataclass(frozen=True)
class Scene:
    """Executions to act on, and the people who do."""

    waiting: stories.AgentExecution
    doubtful: stories.AgentExecution
    olga: User
    rita: User

    @classmethod
    def laid(cls) -> Scene:
        call_command("load_sample_data", verbosity=0)
        runner = stories.standing_runner()
        olga = factories.person("olga", may=["launch_execution", "cancel_execution"])
        rita = factories.reviewer("rita")
        return cls(stories.awaiting(runner, olga), stories.doubtful(runner, olga, rita), olga, rita)


def decide(scene: Scene) -> Any:
    review = scene.waiting.reviews.get()
    return operations.decide(
        review_id=review.pk, person=scene.rita, approve=True, seen_digest=review.input_digest
    )


def settle(scene: Scene) -> Any:
    review = scene.doubtful.reviews.get(kind="doubt")
    return operations.settle(
        review_id=review.pk, person=scene.rita, verdict="happened",
        seen_digest=review.input_digest, reason="seen in the ledger",
    )  # fmt: skip


def cancel(scene: Scene) -> Any:
    return operations.cancel(execution_id=scene.waiting.pk, person=scene.olga)


def edit(scene: Scene) -> Any:
    review = scene.waiting.reviews.get()
    return operations.edit(
        review_id=review.pk, person=scene.rita, seen_digest=review.input_digest,
        arguments={**review.call.tool_input, "to": [CUSTOMER]}, reason="clearer",
    )  # fmt: skip


def launched(scene: Scene) -> Any:
    return operations.launch(
        agent_type=REHEARSED.name,
        input_data={"rehearse": [text()]},
        user=scene.olga,
        idempotency_key="monday",
    )


def expire(scene: Scene) -> Any:
    return expire_overdue()


OPERATIONS = {one.__name__: one for one in (decide, settle, cancel, edit, launched, expire)}
STATE = """
SELECT (SELECT jsonb_agg(to_jsonb(e) - 'updated_at' ORDER BY id) FROM agent_executions e),
    (SELECT jsonb_agg(to_jsonb(c) ORDER BY id) FROM agent_tool_calls c),
    (SELECT jsonb_agg(to_jsonb(r) ORDER BY id) FROM agent_reviews r),
    (SELECT count(*) FROM agent_review_votes), (SELECT count(*) FROM agent_audit),
    (SELECT count(*) FROM django_q_ormq)
"""


def everything_there_is() -> Any:
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        return cursor.fetchone()


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_cut_at_any_query_is_done_wholly_or_not_at_all_and_can_be_repeated(
    committed_db: None, name: str
) -> None:
    """D2: the connection is terminated before each statement in turn, and before the COMMIT."""
    operation, scene = OPERATIONS[name], Scene.laid()
    if name == "expire":
        factories.change(scene.waiting.reviews.get(), expires_at=Now())
    before = everything_there_is()
    for number in count(1):
        at = CutAt(number)
        cut_short = False
        try:
            with connection.execute_wrapper(at), cut_before_commit(at) as cut:
                operation(scene)
        except DatabaseError:
            cut_short = True
        close_old_connections()  # as Django does between two requests
        assert cut_short
        assert everything_there_is() == before
        if not at.fired:
            assert cut == ["COMMIT"]
            break
    assert number > 5, "it has fewer statements than one would think"
    operation(scene)
    assert everything_there_is() != before
    nothing_is_violated(grace_s=60)


# ------------------------------------------------------------------ D3: while idle


@contextmanager
def web_server(start: Callable[..., ChildProcess]) -> Iterator[str]:
    """A real web server with one thread, so that its one connection is the one that is cut."""
    port = ports.first_free(range(8100, 8200))
    server = start(
        *("-m", "gunicorn", "agentops.wsgi:application", "--workers", "1", "--threads", "1"),
        *("--bind", f"127.0.0.1:{port}"),
    )
    wait_until(lambda: "Listening at" in server.log(), within_s=30, what="the web server")
    yield f"http://127.0.0.1:{port}"


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.processes
def test_the_first_page_after_an_idle_connection_died_is_fine(
    start_process: Callable[..., ChildProcess],
) -> None:
    """D3: the web server notices before it uses it."""
    connection.close()
    with web_server(start_process) as url:
        assert status_of(f"{url}/login/") == 200
        for _ in range(3):
            assert cut_idle() >= 1
            assert status_of(f"{url}/login/") == 200


def test_a_standing_runner_goes_on_after_all_its_idle_connections_died(
    llm: RehearsalServer,
) -> None:
    """D3: journal, lease, claims and tool threads each come back; nothing waits for a time-out."""
    with standing_runner(base_url=llm.base_url):
        for _ in range(2):
            script = [calls(READ), text()]
            until(launch(REHEARSED.name, rehearse=script), "completed")
            own = connection.connection.info.backend_pid
            assert cut_idle(but=own) >= 3
        until(launch(REHEARSED.name, rehearse=[calls(READ), text()]), "completed", within_s=10)
    nothing_is_violated()


def test_the_queue_hands_out_tickets_after_its_idle_connections_died(committed_db: None) -> None:
    """D3: both the broker's Django connection and the one that listens."""
    broker = PostgresBroker(list_key=tickets.CLUSTER)
    with ThreadPoolExecutor(1) as pusher:
        try:
            assert pusher.submit(broker.dequeue).result(30) is None
            assert pusher.submit(broker.dequeue).result(30) is None
            own = connection.connection.info.backend_pid
            assert cut_idle(but=own) >= 2
            tickets.ring()

            def taken() -> Any:
                return pusher.submit(broker.dequeue).result(30)

            assert wait_until(taken, within_s=10, what="the ticket")
        finally:
            pusher.submit(connections.close_all).result(10)
            broker.hang_up()

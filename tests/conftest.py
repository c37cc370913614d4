"""Fixtures for every test.

`db` (pytest-django's) rolls back. `committed_db` really commits, and wipes afterwards: for tests
with several connections or real processes. `process_env` and `start_process` give those processes
the test's database. `browser_path` is a Chromium. `effort` says how often a proof repeats.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support import database
from tests.support.effort import Effort
from tests.support.needs import missing
from tests.support.processes import ChildProcess
from tests.support.reports import without_surrogates

# Before anything reads Django's settings. The server starts with the first test that needs it.
database.isolate_environment()

import django  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

from agentops.dev.browser import find_browser  # noqa: E402

# Now, because the conftests of folders below import models.
django.setup()

from django.contrib.auth.models import Permission  # noqa: E402

from agentops.accounts.models import User  # noqa: E402
from executions.registry_sync import sync_registry  # noqa: E402
from tests import rehearsal_server  # noqa: E402
from tests.rehearsal_server import RehearsalServer  # noqa: E402

REVIEWERS = ("rita", "omar")
SEED = 1
settings.PASSWORD_HASHERS = ["tests.support.hashers.QuickHasher"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("agentops", "proofs")
    group.addoption(
        "--effort", choices=("short", "long"), default="short", help="how often proofs repeat"
    )
    group.addoption(
        "--shots", type=Path, metavar="DIR", help="put pictures of a reviewer's morning there"
    )
    group.addoption(
        "--faults-seed", type=int, default=SEED, help="repeat the random part of a proof"
    )


def pytest_report_header(config: pytest.Config) -> str:
    chosen = config.getoption
    return f"proofs: --effort={chosen('--effort')} --faults-seed={chosen('--faults-seed')}"


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """A lone surrogate in a report, which our tests are full of, would end its worker process."""
    return without_surrogates((yield))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Divide a proof into blocks that run beside each other; its short form is one block."""
    for mark in metafunc.definition.iter_markers("blocks"):
        metafunc.parametrize("block", range(mark.args[0] if _is_long(metafunc.config) else 1))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only the long form has."""
    if not _is_long(config):
        left_out = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def _is_long(config: pytest.Config) -> bool:
    return bool(config.getoption("--effort") == "long")


@pytest.fixture(scope="session")
def effort(pytestconfig: pytest.Config) -> Effort:
    """How often this run repeats what proofs repeat, and its random numbers."""
    return Effort(
        is_long=_is_long(pytestconfig),
        seed=pytestconfig.getoption("--faults-seed"),
    )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[None]:
    """pytest-django's hook before it makes the test database: hold the server until the end."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    with database.embedded_server():
        yield


@pytest.fixture(scope="session", autouse=True)
def _wipe_instead_of_flush() -> Iterator[None]:
    """Django's flush truncates, which append-only tables refuse."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: database.wipe())
        yield


@pytest.fixture
def committed_db(transactional_db: None) -> None:
    """A database in which this test's commits are real, and wiped when it ends."""


@pytest.fixture
def process_env(committed_db: None) -> dict[str, str]:
    """The environment of a real process that works on this test's database."""
    name = str(connection.settings_dict["NAME"])
    return {**os.environ, "AGENTOPS_PG_DATABASE": name, "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def start_process(
    process_env: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., ChildProcess]]:
    """`start_process("manage.py", "qcluster", Q_CLUSTER_NAME="agents")`; gone at the test's end."""
    started: list[ChildProcess] = []
    numbers = count(1)

    def start(*arguments: str, **variables: str) -> ChildProcess:
        log = tmp_path / f"process-{next(numbers)}.log"
        child = ChildProcess(*arguments, env={**process_env, **variables}, log=log)
        started.append(child)
        return child

    yield start
    for child in reversed(started):
        child.stop()


@pytest.fixture
def reviewers(committed_db: None) -> list[User]:
    """Rita and Omar, who may approve everything."""
    sync_registry()
    rights = Permission.objects.filter(codename__startswith="approve_")
    people = [User.objects.create_user(name, password="only for tests") for name in REVIEWERS]
    for person in people:
        person.user_permissions.set(rights)
    return people


@pytest.fixture(scope="session")
def standing_rehearsal() -> Iterator[RehearsalServer]:
    with rehearsal_server.start() as server:
        yield server


@pytest.fixture
def rehearsal(standing_rehearsal: RehearsalServer) -> Iterator[RehearsalServer]:
    """The session's one rehearsal server, without latency, as if nobody had asked it anything."""
    standing_rehearsal.forget()
    yield standing_rehearsal
    standing_rehearsal.forget()


@pytest.fixture
def llm(committed_db: None, rehearsal: RehearsalServer) -> RehearsalServer:
    """A rehearsal server beside a database with the sample data."""
    sync_registry()
    call_command("load_sample_data", verbosity=0)
    return rehearsal


@pytest.fixture(scope="session")
def browser_path() -> str:
    """A Chromium to drive; where there is none the test is skipped, or fails with CI=true."""
    return find_browser() or missing("a browser (`make test` tries to get one)")


@pytest.fixture(scope="module")
def chromium(browser_path: str) -> Iterator[Browser]:
    """A Chromium for one file's tests, gone after them: Playwright keeps a loop in this thread."""
    arguments = ["--disable-dev-shm-usage", "--disable-background-networking"]
    if os.geteuid() == 0:  # Chromium refuses root otherwise
        arguments.append("--no-sandbox")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Django takes the loop for asynchronous code and would refuse to read rows.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(executable_path=browser_path, args=arguments)
        yield launched
        launched.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """A Chromium as if nobody had used it."""
    yield chromium
    for context in chromium.contexts:
        context.close()
    connections.close_all()  # those opened beside the loop

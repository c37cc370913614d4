"""What the fault proofs share: a stage for crash proofs, and releases of the code."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.mail import EmailMessage
from django.core.management import call_command
from pytest_django import Settings

from agentops.accounts.models import User
from executions import housekeeping
from executions.registry_sync import sync_registry
from tests import factories
from tests.executions import desk
from tests.faults import outbox, world
from tests.faults.kept import connections_are_kept
from tests.faults.outward import TOOLS_OF_THE_TEST
from tests.faults.pressing import Person, at_browser
from tests.faults.releasing import Sites
from tests.faults.stage import Stage
from tests.faults.there import Zygote
from tests.faults.witness import Witness
from tests.journeys.conftest import world as processes  # noqa: F401 - a fixture
from tests.rehearsal_server import RehearsalServer
from tests.support.noting import LEDGER, NAME, form
from tests.support.processes import ChildProcess
from tests.support.racing import Racers, racers
from tests.support.releases import Release
from tests.support.trial import trial
from tests.tools.mail_server import Mailbox, mail_server


@pytest.fixture(scope="session")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[world.Outside]:
    """The outside parties, once for the whole session."""
    with world.outside(tmp_path_factory.mktemp("outside"), dict(os.environ)) as parties:
        yield parties


@pytest.fixture
def stage(committed_db: None, around: world.Outside) -> Iterator[Stage]:
    """An empty database with sample data and people, and a worker in this process."""
    logging.disable(logging.CRITICAL)  # faults are told by the hundred, and asserted
    with world.quickly(around), connections_are_kept():
        made = Stage(around)
        yield made
        made.close()
    logging.disable(logging.NOTSET)


@pytest.fixture
def rehearsal(committed_db: None, rehearsal: RehearsalServer) -> RehearsalServer:
    """The session's rehearsal server, beside an empty database."""
    return rehearsal


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where notes are left, by this process and by those it starts."""
    path = tmp_path / "notes.jsonl"
    monkeypatch.setenv(LEDGER, str(path))
    return path


@pytest.fixture
def release(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Release]:
    """The code of this process, as the test changes it; at first the noter's tool is free.

    Reviewers made after it may approve notes.
    """
    one = Release(monkeypatch)
    one.has_tool(form("gated"))
    sync_registry()
    one.has_tool(form("free"))
    yield one
    Permission.objects.filter(codename=f"approve_{NAME}").delete()


@pytest.fixture
def outside(committed_db: None, around: world.Outside) -> Iterator[Witness]:
    """The outside parties beside a database with the sample data, and what they see from now on."""
    with world.quickly(around):
        sync_registry()
        call_command("load_sample_data", verbosity=0)
        yield Witness(around)
    around.llm.clear_faults()


@pytest.fixture
def sites(
    release: Release,
    rehearsal: RehearsalServer,
    ledger: Path,
    start_process: Callable[..., ChildProcess],
) -> Sites:
    """Clusters to start, each of its own release."""
    return Sites(start_process, rehearsal, ledger)


@pytest.fixture
def team(db: None, settings: Settings) -> dict[str, User]:
    """Two who may decide on everything, and those who must not be written to."""
    settings.AGENTOPS_SITE_URL = outbox.SITE
    desk.load_sample_data()
    rights = {"rita": ["approve_*"], "omar": ["approve_*"], "gone": ["approve_*"], "nora": []}
    people = {
        name: factories.person(name, may=may, email=f"{name}@hallberg.example")
        for name, may in rights.items()
    }
    User.objects.filter(username="gone").update(is_active=False)
    factories.reviewer("without_address")
    return people


@pytest.fixture
def zygote(process_env: dict[str, str], stage: Stage) -> Iterator[Zygote]:
    """A process whose children do the work, on the stage's database, and may be killed."""
    made = Zygote({**process_env, **stage.around.variables})
    yield made
    made.close()


@pytest.fixture
def beyond(committed_db: None, around: world.Outside, settings: Any) -> Iterator[world.Outside]:
    """The outside parties beside an empty database, and tools that reach them without a gate."""
    settings.AGENTOPS_MAIL_ALLOWED_DOMAINS = ["hallberg.example"]
    with world.quickly(around), trial(*TOOLS_OF_THE_TEST):
        around.letters.new()
        yield around


@pytest.fixture
def report(beyond: world.Outside) -> world.Report:
    """Sample data, people, and one report to file."""
    return world.lay_down()


@pytest.fixture
def two() -> Iterator[Racers]:
    with racers(2) as ready:
        yield ready


@pytest.fixture
def desks(reviewers: list[User]) -> list[Person]:
    """Rita and Omar, who may cancel as well, each at a browser of their own."""
    right = Permission.objects.get(codename="cancel_execution")
    for person in reviewers:
        person.user_permissions.add(right)
    return [at_browser(person) for person in reviewers]


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    """A real mail server, to which the site's mail goes."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def leads(team: dict[str, User], settings: Settings) -> Group:
    """A group of one who may decide nothing, and of one who has gone."""
    settings.AGENTOPS_ESCALATION_GROUP = "Leads"
    group = Group.objects.create(name="Leads")
    group.user_set.add(team["nora"], User.objects.get(username="gone"))
    return group


@pytest.fixture
def told(mailoutbox: list[EmailMessage]) -> Any:
    """Be the housekeeping's minute; return (to, subject) of the letters it sent."""

    def minute() -> list[tuple[str, str]]:
        mailoutbox.clear()
        housekeeping.notify()
        return [(letter.to[0], letter.subject) for letter in mailoutbox]

    return minute

"""The database goes back in time: a failover that lost commits, or a backup that was restored.

Dumps are real (`pg_dump`, `pg_restore`); what happened meanwhile stands in the outside's ledgers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from agentops.accounts.models import User
from executions import faults, operations
from executions.engine.seals import seal_audit
from executions.invariants.rule import Ledger
from executions.models import AgentExecution, AgentReview, AgentToolCall
from executions.operations.restoring import RunnersStand
from tests.executions.shell import run
from tests.faults import world
from tests.faults.checking import nothing_is_violated
from tests.faults.scenarios import filing, letter
from tests.journeys.conftest import approve_open
from tests.support.database import embedded_server
from tests.support.needs import missing
from tests.support.rehearsed_agent import REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle

pytestmark = pytest.mark.slow


def program(name: str) -> str:
    """Return PostgreSQL's program of that name, of the tests' own server where it has one."""
    if not os.environ.get("DATABASE_URL"):
        beside = embedded_server().programs.folder / name
        if os.access(beside, os.X_OK):
            return str(beside)
    return shutil.which(name) or missing(name)


def where(database: str) -> list[str]:
    given = connection.settings_dict
    address = ["-h", given["HOST"], "-U", given["USER"], "-d", database]
    return address if not given["PORT"] else [*address, "-p", str(given["PORT"])]


class Backups:
    """Takes dumps of the test's database, and restores one beside it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "backup.dump"
        self.name = str(connection.settings_dict["NAME"])
        self.restored = f"{self.name}_restored"

    def take(self) -> None:
        self._run(program("pg_dump"), "-Fc", "-f", str(self.file), *where(self.name))

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """Let this process work on what the backup holds."""
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {self.restored}")
        self._run(program("pg_restore"), "--exit-on-error", *where(self.restored), str(self.file))
        connections.close_all()
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(connection.settings_dict, "NAME", self.restored)
            yield
            connections.close_all()

    def drop(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {self.restored} WITH (FORCE)")

    @staticmethod
    def _run(*command: str) -> None:
        environment = {
            **os.environ, "PGPASSWORD": str(connection.settings_dict["PASSWORD"] or "")
        }  # fmt: skip
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def backups(committed_db: None, tmp_path: Path) -> Iterator[Backups]:
    made = Backups(tmp_path)
    yield made
    made.drop()


class Story:
    """One execution in a world whose mail server and authority keep ledgers of their own."""

    def __init__(self, around: world.Outside) -> None:
        self.around = around
        self.report = world.lay_down()
        self.people = list(User.objects.filter(username__in=world.PEOPLE))
        self.letters: list[str] = []
        self.filings: list[str] = []
        self.look_outside()
        self.letters, self.filings = [], []

    def begin(self, *asked: Any) -> AgentExecution:
        """Launch, and drive it to its reviews."""
        one = operations.launch(
            agent_type=REHEARSED.name,
            input_data={"rehearse": [calls(*asked), text()]},
            user=User.objects.get(username="olga"),
        ).execution
        return self.drive(one)

    def drive(self, one: AgentExecution) -> AgentExecution:
        run_until_idle(base_url=self.around.llm.base_url)
        return AgentExecution.objects.get(pk=one.pk)

    def approve(self, one: AgentExecution) -> None:
        approve_open(one, self.people)

    def look_outside(self) -> None:
        self.letters += [world.key_of(line) for line in self.around.letters.new()]
        self.filings += [line["idempotency_key"] for line in self.around.filings.new()]

    def check(self) -> None:
        """Each effect once outside, and every promise kept with these ledgers."""
        nothing_is_violated(
            Ledger(tool="send_email", keys=tuple(self.letters)),
            Ledger(tool="submit_to_regulator", keys=tuple(self.filings)),
        )


@pytest.fixture
def story(backups: Backups, around: world.Outside) -> Iterator[Story]:
    with world.quickly(around):
        yield Story(around)


def test_a_filing_is_made_once_although_its_start_and_outcome_were_lost(
    story: Story, backups: Backups
) -> None:
    """D6: a lagging copy knows of no start; the same key goes out again and the other side knows
    it. A seal exported meanwhile shows that history lost its end."""
    one = story.begin(filing(story.report, 1))
    story.approve(one)
    seal_audit()
    backups.take()
    assert story.drive(one).status == "completed"
    seal_audit()
    kept = backups.file.with_name("seal.json")
    kept.write_text(run("export_audit_seal").out)

    with backups.put_back():
        assert AgentToolCall.objects.get().status == "approved"
        assert story.drive(one).status == "completed"
        story.look_outside()
        assert len(story.filings) == 1
        story.check()
        told = run("check_invariants", "--only", "I12", "--seal", str(kept))
        assert told.status == 1
        assert f"seal {json.loads(kept.read_text())['id']}: it was exported" in told.out


def test_a_letter_whose_start_was_lost_is_asked_about_before_anything_goes_out(
    story: Story, backups: Backups
) -> None:
    """D6: nothing in a lagging copy tells that a letter left, so people look outside first."""
    one = story.begin(letter(1))
    story.approve(one)
    backups.take()
    assert story.drive(one).status == "completed"

    with backups.put_back():
        assert run("after_restore").out.startswith("Asked anew about 1 call;")
        assert story.drive(one).status == "awaiting_review"
        review = AgentReview.objects.open().get()
        assert (review.version, "look outside first" in review.reason) == (2, True)
        operations.decide(
            review_id=review.pk, person=story.people[0], approve=False,
            reason="It is in the mail server's log.", seen_digest=review.input_digest,
        )  # fmt: skip
        assert story.drive(one).status == "completed"
        story.look_outside()
        assert len(story.letters) == 1


def test_a_backup_taken_while_a_letter_leaves_is_restored_into_a_doubt(
    story: Story, backups: Backups
) -> None:
    """D11: the drill. What the backup shows as started is in doubt; nothing goes out without a
    person, and the restored database keeps every promise."""
    one = story.begin(letter(1))
    story.approve(one)

    def back_up(point: str, _: Any) -> None:
        if point == "send_email.before":
            backups.take()

    faults.install(back_up)
    try:
        assert story.drive(one).status == "completed"
    finally:
        faults.install(None)
    assert backups.file.exists(), "the letter never left"

    with backups.put_back():
        assert AgentToolCall.objects.get().status == "running"
        with pytest.raises(RunnersStand):
            operations.distrust(person=story.people[0])
        with connection.cursor() as cursor:  # a drill takes longer than a lease
            cursor.execute("UPDATE agent_runners SET lease_until = now()")
        assert operations.distrust(person=story.people[0]) == {"asked_anew": 0, "failed": 0}
        assert story.drive(one).status == "awaiting_review"
        review = AgentReview.objects.open().get()
        assert (review.kind, AgentToolCall.objects.get().status) == ("doubt", "in_doubt")
        story.look_outside()
        assert len(story.letters) == 1
        operations.settle(
            review_id=review.pk, person=story.people[0], verdict="happened",
            reason="seen in the ledger", seen_digest=review.input_digest,
        )  # fmt: skip
        assert story.drive(one).status == "completed"
        story.look_outside()
        assert len(story.letters) == 1
        story.check()

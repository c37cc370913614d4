"""What all of the state machine's examples stand on: runners, people, the outside's ledgers."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from django.contrib.auth.models import Permission
from django.core.management import call_command
from psycopg.rows import dict_row

from agentops.accounts.models import User
from executions.engine.connections import parameters
from executions.invariants import INVARIANTS, verify
from executions.operations import Refusal
from executions.registry_sync import sync_registry
from tests import factories
from tests.faults import world
from tests.faults.crashing import Injector, Place, modes_at
from tests.faults.witness import Witness
from tests.faults.worker import Worker
from tests.support import database
from tests.support.pieces import Pieces, Run, runners_in_pieces

PEOPLE = ("rita", "omar", "pia")
EXAMPLES_BETWEEN_WIPES = 100

EXECUTIONS = """
SELECT id, status, step_count, completed_at, stop_reason FROM agent_executions WHERE id = ANY(%s)
"""
CALLS = """
SELECT id, execution_id, tool_name, status, idempotency_key, started_at IS NOT NULL AS started
FROM agent_tool_calls WHERE execution_id = ANY(%s) AND (gated OR idempotency_key IS NOT NULL)
"""
REVIEWS = """
SELECT r.id, r.kind, r.call_id, r.execution_id, r.tool_name, r.input_digest,
    c.tool_input, c.status AS call_status, c.idempotency_key, e.status AS execution_status
FROM agent_reviews r JOIN agent_tool_calls c ON c.id = r.call_id
JOIN agent_executions e ON e.id = r.execution_id
WHERE r.execution_id = ANY(%s) AND r.status = 'open' ORDER BY r.execution_id, c.step_number,
    c.call_index
"""


class DiesAt(Injector):
    """Does one fault at the `turn`th point that this life comes to, whichever that is."""

    def __init__(self, turn: int, choice: int) -> None:
        super().__init__()
        self._left, self._choice = turn, choice

    def __call__(self, point: str, connection: Any) -> None:
        self._left -= 1
        if not self._left:
            nth = self._counts[point] + 1
            modes = modes_at(Place(point, nth, connection is not None))
            self.planned[point, nth] = modes[self._choice % len(modes)]
        super().__call__(point, connection)


@dataclass
class Ground:
    """`seen`: what the outside saw in this example, by key. `counts`: of what happened in all."""

    outside: Witness
    worker: Worker
    run: Run
    first: Pieces
    others: Sequence[Pieces]  # those that freeze
    rows: psycopg.Connection[dict[str, Any]]
    counts: Counter[str] = field(default_factory=Counter)
    examples: int = 0
    serial: int = 0

    def begin(self) -> None:
        """Begin an example: everybody may everything, nothing is switched off."""
        if self.examples and self.examples % EXAMPLES_BETWEEN_WIPES == 0:
            self.wipe()
        self.examples += 1
        self.letters_before = len(self.outside.letters())
        self.filings_before = len(self.outside.filings())
        (self.began,) = self.rows.execute("SELECT clock_timestamp() AS at").fetchone().values()

    def drive(self) -> None:
        self.run(self.first.run_until_idle())

    def live_and_die(self, turn: int, choice: int) -> None:
        """Let a whole runner live until there is nothing to do or the fault ended it."""
        injector = DiesAt(turn, choice)
        with injector.installed():
            lived = self.worker.live(injector)
        self.counts["lived" if lived else "died"] += 1
        for fault in injector.fired:
            self.counts[f"{fault.mode}"] += 1

    def seen(self) -> list[tuple[str, str]]:
        """Return (key, subject) of what the outside saw in this example, letters first."""
        letters = self.outside.letters()[self.letters_before :]
        filings = self.outside.filings()[self.filings_before :]
        return [
            *((world.key_of(one), one["subject"]) for one in letters),
            *((one["idempotency_key"], one["subject"]) for one in filings),
        ]

    def executions(self, ids: list[UUID]) -> list[dict[str, Any]]:
        return self.rows.execute(EXECUTIONS, (ids,)).fetchall()

    def calls(self, ids: list[UUID]) -> list[dict[str, Any]]:
        return self.rows.execute(CALLS, (ids,)).fetchall()

    def open_reviews(self, ids: list[UUID]) -> list[dict[str, Any]]:
        return self.rows.execute(REVIEWS, (ids,)).fetchall()

    def verify(self, *, everything: bool = False) -> None:
        """Verify the promises over this example's executions, or over all there are.

        Those of other examples have ended before it began.
        """
        elapsed = "SELECT extract(epoch FROM clock_timestamp() - %s)::float / 3600 AS hours"
        (hours,) = self.rows.execute(elapsed, (self.began,)).fetchone().values()
        names = [one.name for one in INVARIANTS if everything or one.name != "I15"]
        found = verify(
            grace_s=0,
            hours=None if everything else hours,
            ledgers=self.outside.ledgers(),
            only=names,
        )
        broken = [one for one in found if one.violations]
        assert not broken, "\n".join(map(str, broken))

    def wipe(self) -> None:
        """Verify everything, then begin with an empty database."""
        self.verify(everything=True)
        database.wipe()
        self.outside.forget()
        lay_down(self.outside)
        for runner in (self.first, *self.others):
            self.run(runner.begin_anew())


def lay_down(outside: Witness) -> None:
    sync_registry()
    call_command("load_sample_data", verbosity=0)
    factories.person("olga", may=["launch_execution", "cancel_execution"])
    for name in PEOPLE:
        factories.reviewer(name)
    outside.report  # noqa: B018 - made once, before the examples


def give_rights(name: str, *, permitted: bool, active: bool) -> None:
    person = User.objects.get(username=name)
    rights = Permission.objects.filter(codename__startswith="approve_") if permitted else []
    person.user_permissions.set(rights)
    if person.is_active != active:
        User.objects.filter(pk=person.pk).update(is_active=active)


def user(name: str) -> User:
    return User.objects.get(username=name)


def done(operation: Callable[..., Any], **words: Any) -> bool:
    """Test if the operation was not refused."""
    try:
        operation(**words)
    except Refusal:
        return False
    return True


@contextmanager
def ground(outside: Witness) -> Iterator[Ground]:
    """Everything opened once; closed at the end."""
    lay_down(outside)
    logging.disable(logging.CRITICAL)  # faults are told by the hundred, and asserted
    worker = Worker(base_url=outside.llm.base_url)
    base_url = outside.llm.base_url
    try:
        with (
            runners_in_pieces(base_url=base_url, count=3) as (run, (first, *others)),
            psycopg.connect(**parameters(), autocommit=True, row_factory=dict_row) as rows,
        ):
            yield Ground(outside, worker, run, first, others, rows)
    finally:
        worker.close()
        logging.disable(logging.NOTSET)

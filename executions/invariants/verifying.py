"""Runs the checks: all of them on one snapshot, each with its time, none stopping the others."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import Error, connection, transaction

from executions.invariants.approvals import I5
from executions.invariants.audit import I12
from executions.invariants.content import I15, I16
from executions.invariants.conversation import I10, I11
from executions.invariants.driving import I2, I3, I7
from executions.invariants.effects import I6, I9
from executions.invariants.liveness import I1, I13
from executions.invariants.records import I4, I14
from executions.invariants.rule import Invariant, Ledger, Seal, Situation, Violation
from executions.invariants.scope import only_in_scope
from executions.invariants.spending import I8

INVARIANTS = (I1, I2, I3, I4, I5, I6, I7, I8, I9, I10, I11, I12, I13, I14, I15, I16)
EXAMPLES = 5

GRACE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What a check found. `rows` were looked at; `examples` are the first of `violations`.

    A check that could not be made counts as one violation.
    """

    name: str
    promise: str
    rows: int
    counted: str
    violations: int
    examples: tuple[Violation, ...]
    seconds: float

    def facts(self) -> dict[str, Any]:
        return asdict(self)


def verify(
    *,
    grace_s: float = GRACE_S,
    hours: float | None = None,
    ledgers: Sequence[Ledger] = (),
    seals: Sequence[Seal] = (),
    only: Sequence[str] = (),
) -> Iterator[Verified]:
    """Yield what each invariant's check found; `only` names some of them.

    With `hours` it looks at executions that have not ended, or within so many hours. Nothing
    is changed or locked: it is safe on a live database.
    """
    with _one_snapshot():
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp(), current_schema()")
            now, schema = cursor.fetchone()
        situation = Situation(
            now=now,
            grace_s=grace_s,
            schema=schema,
            since=None if hours is None else now - timedelta(hours=hours),
            ledgers=tuple(ledgers),
            seals=tuple(seals),
        )
        with only_in_scope(situation.since):
            for invariant in INVARIANTS:
                if not only or invariant.name in only:
                    yield _verified(invariant, situation)


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Let every statement see the same moment, so that counts of two tables can be compared."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if is_outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SET LOCAL work_mem = '64MB'")
        yield


def _verified(invariant: Invariant, situation: Situation) -> Verified:
    began = time.monotonic()
    rows, violations, examples = 0, 0, list[Violation]()
    try:
        with transaction.atomic():
            rows = _count(invariant.count, situation)
            for rule in invariant.rules:
                number, first = _broken(rule, situation)
                violations += number
                examples += first
            for search in invariant.searches:
                found = list(search(situation))
                violations += len(found)
                examples += islice(found, EXAMPLES)
    except Error as error:
        violations += 1
        examples.insert(0, Violation("the check", f"it could not be made: {error}".strip()))
    return Verified(
        name=invariant.name,
        promise=invariant.promise,
        rows=rows,
        counted=invariant.counted,
        violations=violations,
        examples=tuple(examples[:EXAMPLES]),
        seconds=time.monotonic() - began,
    )


def _count(statement: str, situation: Situation) -> int:
    (row,) = _rows(statement, situation)
    return int(row[0])


def _broken(rule: str, situation: Situation) -> tuple[int, list[Violation]]:
    """Return how many rows break a rule, and the first of them."""
    rows = _rows(
        f"SELECT count(*) OVER (), broken.* FROM ({rule}) AS broken(row_name, what)"
        f" LIMIT {EXAMPLES}",
        situation,
    )
    return (rows[0][0] if rows else 0), [Violation(name, what) for _, name, what in rows]


def _rows(statement: str, situation: Situation) -> list[tuple[Any, ...]]:
    values: dict[str, Any] = {
        "now": situation.now,
        "grace_s": situation.grace_s,
        "since": situation.since,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows

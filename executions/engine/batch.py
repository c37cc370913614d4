"""One journal transaction: from entries to statements, and from rows to answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.errors import CheckViolation, DataError
from psycopg.rows import TupleRow
from pydantic_core import to_json

from executions.engine import statements as sql
from executions.engine.connections import Connection
from executions.engine.entries import (
    CallDoubted,
    CallEnded,
    CallRefused,
    CallStarted,
    Committed,
    Ended,
    Entry,
    LeaseLost,
    LetGo,
    ReviewRenewed,
    StepMade,
    Yielded,
)
from executions.engine.switches import Switch

Answer = Committed | LeaseLost
E = TypeVar("E", bound=Entry)
Settle = Callable[[set[UUID]], None]


@dataclass(frozen=True)
class Locked:
    """What an execution's row said when the transaction locked it."""

    token: int
    status: str
    cancel_requested: bool
    open_reviews: int
    agent_type: str


@dataclass
class Batch:
    """Entries on their way into one transaction."""

    entries: Sequence[Entry]
    rows: dict[UUID, Locked] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)  # by place in `entries`
    sent: list[tuple[AsyncCursor[TupleRow], Settle]] = field(default_factory=list)

    @cached_property
    def name(self) -> str:
        """The kinds of its entries: what the fault points around its commit are called."""
        return "+".join(sorted(kind.__name__ for kind in self._by_kind))

    def of(self, kind: type[E]) -> list[tuple[int, E]]:
        """Return the still unanswered entries of one kind with their places."""
        return [
            (place, entry)
            for place, entry in self._by_kind.get(kind, ())
            if place not in self.answers
        ]

    @cached_property
    def _by_kind(self) -> dict[type[Entry], list[tuple[int, Any]]]:
        kinds: dict[type[Entry], list[tuple[int, Any]]] = {}
        for place, entry in enumerate(self.entries):
            kinds.setdefault(type(entry), []).append((place, entry))
        return kinds


async def apply(conn: Connection, batch: Batch) -> None:
    """Run the batch's statements inside the transaction that is open on `conn`.

    The order: lock executions, refuse what has no lease, count, steps, calls, reviews, moves.
    """
    await _lock(conn, batch)
    await _refuse_starts(conn, batch)
    async with conn.pipeline():  # no statement waits for the result of the one before
        for part in PARTS:
            await part(conn, batch)
    for cursor, settle in batch.sent:
        settle({row[0] for row in await cursor.fetchall()})
    for place, entry in enumerate(batch.entries):
        if place not in batch.answers:
            batch.answers[place] = _answer(batch, entry)


def _answer(batch: Batch, entry: Entry, **changes: Any) -> Committed:
    row = batch.rows[entry.execution_id]
    return Committed(
        cancel_requested=row.cancel_requested, open_reviews=row.open_reviews, **changes
    )


async def _lock(conn: Connection, batch: Batch) -> None:
    ids = {str(entry.execution_id) for entry in batch.entries}
    cursor = await conn.execute(sql.LOCK, (f"{{{','.join(ids)}}}",))
    batch.rows = {row[0]: Locked(*row[1:]) for row in await cursor.fetchall()}
    for place, entry in enumerate(batch.entries):
        row = batch.rows.get(entry.execution_id)
        if row is None or row.status != "running" or row.token != entry.token:
            batch.answers[place] = LeaseLost()


async def _refuse_starts(conn: Connection, batch: Batch) -> None:
    """Answer the starts that a cancel or a switch forbids; the others go on."""
    starts = batch.of(CallStarted)
    if not starts:
        return
    await conn.execute(sql.CONTROLS)
    off = [Switch(*row) for row in await (await conn.execute(sql.FORBIDDEN)).fetchall()]
    for place, entry in starts:
        row = batch.rows[entry.execution_id]
        keys = {("all", ""), ("agent", row.agent_type), ("tool", entry.tool_name)}
        switch = next(
            (s for s in off if (s.scope, s.key) in keys and s.except_call != entry.call_id), None
        )
        if row.cancel_requested:
            refusal = "the execution is being cancelled"
        elif switch:
            refusal = str(switch)
        else:
            continue
        batch.answers[place] = _answer(
            batch, entry, applied=False, refusal=refusal, switched_off=switch is not None
        )


async def _count(conn: Connection, batch: Batch) -> None:
    """Add what all entries spent to their executions' counters, one row each."""
    sums: dict[UUID, dict[str, Any]] = {}
    for place, entry in enumerate(batch.entries):
        if place in batch.answers:
            continue
        total = sums.setdefault(
            entry.execution_id,
            {"steps": 0, "tokens": 0, "cost": 0, "active_ms": 0, "reviews": 0, "progress": False},
        )
        total["active_ms"] += entry.active_ms
        if isinstance(entry, StepMade):
            total["steps"] += 1
            total["tokens"] += entry.step["total_tokens"]
            total["cost"] = entry.step["cost_usd"]
            total["reviews"] += len(entry.reviews)
            total["progress"] = True
        elif isinstance(entry, (CallEnded, CallDoubted)):
            total["progress"] = True
            total["reviews"] += isinstance(entry, CallDoubted)
        elif isinstance(entry, ReviewRenewed):
            total["reviews"] += 1
    changed = [
        {"id": id, **total}
        for id, total in sums.items()
        if total["steps"] or total["reviews"] or total["active_ms"]
    ]
    await _run(conn, batch, sql.COUNT, changed)


async def _steps(conn: Connection, batch: Batch) -> None:
    made = [entry for _, entry in batch.of(StepMade)]
    calls = [call for entry in made for call in entry.calls]
    reviews = [review for entry in made for review in entry.reviews]
    await _run(conn, batch, sql.INSERT_STEPS, [entry.step for entry in made])
    await _run(conn, batch, sql.INSERT_CALLS, calls)
    await _run(conn, batch, sql.INSERT_REVIEWS, reviews)


async def _starts(conn: Connection, batch: Batch) -> None:
    starts = batch.of(CallStarted)
    rows = [
        {"id": e.call_id, "execution_id": e.execution_id, "key": e.idempotency_key}
        for _, e in starts
    ]
    await _run(conn, batch, sql.START_CALLS, rows, partial(_settle, batch, starts))


async def _outcomes(conn: Connection, batch: Batch) -> None:
    ended = batch.of(CallEnded)
    rows = [
        {"id": e.call_id, "execution_id": e.execution_id, "status": e.status, "output": e.output,
         "error": e.error, "latency_ms": e.latency_ms}
        for _, e in ended
    ]  # fmt: skip
    await _run(conn, batch, sql.END_CALLS, rows, partial(_settle, batch, ended))
    refused = batch.of(CallRefused)
    rows = [{"id": e.call_id, "execution_id": e.execution_id, "error": e.error} for _, e in refused]
    await _run(conn, batch, sql.REFUSE_CALLS, rows, partial(_settle, batch, refused))


async def _doubts(conn: Connection, batch: Batch) -> None:
    doubts = batch.of(CallDoubted)
    rows = [{"id": e.call_id, "execution_id": e.execution_id, "error": e.error} for _, e in doubts]
    await _run(conn, batch, sql.DOUBT_CALLS, rows, partial(_all_doubted, len(doubts)))
    await _run(conn, batch, sql.INSERT_REVIEWS, [e.review for _, e in doubts])


async def _renewals(conn: Connection, batch: Batch) -> None:
    renewed = [entry for _, entry in batch.of(ReviewRenewed)]
    await _run(conn, batch, sql.VOID_REVIEWS, [{"old_review_id": e.old_review_id} for e in renewed])
    await _run(conn, batch, sql.INSERT_REVIEWS, [e.review for e in renewed])
    rows = [
        {"id": e.call_id, "execution_id": e.execution_id, "review_id": e.review["id"],
         "target_version": e.review["target_version"]}
        for e in renewed
    ]  # fmt: skip
    await _run(conn, batch, sql.RENEW_CALLS, rows)


async def _let_go(conn: Connection, batch: Batch) -> None:
    waiting = batch.of(LetGo)
    if not waiting:
        return
    ids = [entry.execution_id for _, entry in waiting]
    cursor = await conn.execute(sql.LET_GO, (ids,))
    batch.sent.append((cursor, partial(_gone, batch, waiting)))


async def _ends(conn: Connection, batch: Batch) -> None:
    ends = [entry for _, entry in batch.of(Ended)]
    rows = [
        {"id": e.execution_id, "status": e.status, "result": e.result, "error": e.error,
         "stop_reason": e.stop_reason, "state": e.state}
        for e in ends
    ]  # fmt: skip
    await _run(conn, batch, sql.END, rows)
    if stopped := [e.execution_id for e in ends if e.status != "completed"]:
        await conn.execute(sql.VOID_UNUSED_REVIEWS, (stopped,))
        await conn.execute(sql.CANCEL_CALLS, (stopped,))


async def _yields(conn: Connection, batch: Batch) -> None:
    rows = [
        {"id": e.execution_id, "wake_in_s": e.wake_in_s, "state": e.state,
         "counts": e.was_undriven}
        for _, e in batch.of(Yielded)
    ]  # fmt: skip
    await _run(conn, batch, sql.YIELD, rows)


def _all_doubted(wanted: int, hit: set[UUID]) -> None:
    if len(hit) != wanted:
        raise CheckViolation("only a running call can come to be in doubt")


def _gone(batch: Batch, waiting: list[tuple[int, LetGo]], hit: set[UUID]) -> None:
    """Answer those that wanted to wait for people by whether there is anything to wait for."""
    for place, entry in waiting:
        batch.answers[place] = _answer(batch, entry, applied=entry.execution_id in hit)


def _settle(batch: Batch, entries: list[tuple[int, E]], hit: set[UUID]) -> None:
    """Answer moves of calls by whether their UPDATE found the row in a status that allows it."""
    for place, entry in entries:
        applied = entry.call_id in hit  # type: ignore[attr-defined]
        batch.answers[place] = _answer(batch, entry, applied=applied)


PARTS = (_count, _steps, _starts, _outcomes, _doubts, _renewals, _let_go, _ends, _yields)


async def _run(
    conn: Connection,
    batch: Batch,
    statement: str,
    rows: list[dict[str, Any]],
    settle: Settle | None = None,
) -> None:
    """Send one statement over all rows; `settle` later gets the ids that it gave back."""
    if not rows:
        return
    cursor = await conn.execute(statement, (_json(rows),))
    if settle:
        batch.sent.append((cursor, settle))


def _json(rows: list[dict[str, Any]]) -> str:
    """Return the rows as JSON text; what has no such form is refused like by the database."""
    try:
        return to_json(rows, fallback=str).decode()
    except ValueError as error:
        raise DataError(str(error)) from error

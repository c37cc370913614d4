"""What an invariant is made of: SQL that finds what must not be there, and names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Violation:
    """A row that breaks a promise: which one, and how."""

    row: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What the outside world saw: the idempotency key of each effect, in order.

    `tool` None: the ledger covers every call that leaves the house.
    """

    tool: str | None
    keys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A seal of the audit trail as it was exported; `at` is only told."""

    id: int
    at: str
    executions: int
    events: int
    heads_hash: str


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What every check is given. `now` is the database's time at which all of them look.

    `grace_s` is how long a state that others must clear away may stand. With `since`, only
    executions that have not ended, or not before then, are looked at; the tables' own rows are
    then found in `schema`.
    """

    now: datetime
    grace_s: float
    schema: str
    since: datetime | None = None
    ledgers: tuple[Ledger, ...] = ()
    seals: tuple[Seal, ...] = ()


Search = Callable[[Situation], Iterator[Violation]]


@dataclass(frozen=True, kw_only=True)
class Invariant:
    """A promise of the design, and how rows show that it is kept.

    `count` is SQL for how many rows are looked at, which `counted` names. Each of `rules` is SQL
    that gives one (row, what is wrong) per violation and may use %(now)s, %(since)s, %(grace_s)s,
    so that a literal per cent sign is doubled; `searches` do what SQL should not.
    """

    name: str
    promise: str
    counted: str
    count: str
    rules: tuple[str, ...] = field(default=())
    searches: tuple[Search, ...] = field(default=())


FINAL_EXECUTIONS = "('completed', 'failed', 'cancelled')"
UNFINISHED = "('pending', 'running', 'awaiting_review')"
FINAL_CALLS = "('succeeded', 'failed', 'rejected', 'expired', 'cancelled')"
LONG_AGO = "(%(now)s - make_interval(secs => %(grace_s)s))"

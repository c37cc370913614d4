"""Verify the design's promises I1 to I16 on the live database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from executions.invariants import GRACE_S, INVARIANTS, Ledger, Seal, Verified, verify
from executions.management.endings import Exit, PlainCommand, Refused
from executions.management.terminal import as_json, clipped, counted, printable

NAMES = [invariant.name for invariant in INVARIANTS]
WHAT = 200


class Command(PlainCommand):
    help = (
        "Verify every promise of the design that rows can show. Changes and locks nothing."
        " --verbosity 0 tells only what is broken. Exit status: 0 all are kept, 1 one is broken,"
        " 2 bad input, 5 no database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--json", action="store_true", help="print JSON, one object per invariant")
        add("--only", action="append", choices=NAMES, metavar="I5", help="some of them")
        add(
            "--grace",
            type=float,
            default=GRACE_S,
            metavar="SECONDS",
            help=f"how long what must be cleared away may stand (default {GRACE_S:.0f})",
        )
        add(
            "--hours",
            type=float,
            metavar="N",
            help="only executions that have not ended, or within N hours: quick, for each hour",
        )
        add(
            "--ledger",
            action="append",
            default=[],
            metavar="[TOOL=]FILE",
            help="JSON lines of what the outside saw, one idempotency key each, to compare for I6",
        )
        add(
            "--seal",
            action="append",
            default=[],
            metavar="FILE",
            help="JSON lines of export_audit_seal, to compare for I12",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        ledgers = [read_ledger(one) for one in options["ledger"]]
        seals = [seal for one in options["seal"] for seal in read_seals(one)]
        broken = 0
        for one in verify(
            grace_s=options["grace"],
            hours=options["hours"],
            ledgers=ledgers,
            seals=seals,
            only=options["only"] or (),
        ):
            broken += bool(one.violations)
            if one.violations or options["verbosity"]:
                self.stdout.write(as_json(one.facts()) if options["json"] else _lines(one))
                self.stdout.flush()
        if broken:
            self.stderr.write(f"{counted(broken, 'invariant')} broken.")
            raise SystemExit(Exit.FAILED)


def read_ledger(given: str) -> Ledger:
    """Read `TOOL=FILE` or `FILE`: a line is an object with a `key` or an `idempotency_key`."""
    tool, equals, name = given.rpartition("=")
    keys = [_key(line, f"line {number} of the ledger {name}") for number, line in _lines_of(name)]
    return Ledger(tool=tool if equals else None, keys=tuple(keys))


def read_seals(name: str) -> list[Seal]:
    """Read what `export_audit_seal` printed: one seal a line."""
    seals = []
    for number, line in _lines_of(name):
        try:
            seals.append(Seal(**json.loads(line)))
        except (ValueError, TypeError):
            raise Refused(f"line {number} of {name} is no exported seal") from None
    return seals


def _lines_of(name: str) -> list[tuple[int, str]]:
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise Refused(f"{name} cannot be read: {error}") from None
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _key(line: str, place: str) -> str:
    try:
        entry = json.loads(line)
        return str(entry["key"] if "key" in entry else entry["idempotency_key"])
    except (ValueError, KeyError, TypeError):
        raise Refused(f'{place} is not a JSON object with a "key"') from None


def _lines(one: Verified) -> str:
    result = counted(one.violations, "violation") if one.violations else "ok"
    looked = f"{one.rows:,} {one.counted}"
    first = f"{one.name:<4} {one.promise:<32} {result:<14} {looked:<36} {one.seconds:6.2f} s"
    told = [f"       {printable(bad.row)}: {_what(bad.what)}" for bad in one.examples]
    if one.violations > len(one.examples):
        told.append(f"       … and {one.violations - len(one.examples):,} more")
    return "\n".join([first, *told])


def _what(text: str) -> str:
    return clipped(printable(text), limit=WHAT)

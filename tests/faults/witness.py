"""What the outside parties wrote down during one test, as the judge of what happened."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from executions.invariants.rule import Ledger
from tests.faults import world
from tests.faults.checking import nothing_is_violated
from tests.rehearsal_server import RehearsalServer


class Witness:
    """Begins with nothing seen: what came before was another test's."""

    def __init__(self, around: world.Outside) -> None:
        self._around = around
        self.forget()

    def forget(self) -> None:
        """Begin anew with an empty database."""
        self._letters: list[dict[str, Any]] = []
        self._filings: list[dict[str, Any]] = []
        for tail in (self._around.letters, self._around.filings):
            tail.new()
        self.__dict__.pop("report", None)

    @property
    def llm(self) -> RehearsalServer:
        return self._around.llm

    @property
    def hold_mail(self) -> Path:
        return self._around.hold_mail

    @cached_property
    def report(self) -> world.Report:
        """The report that filings are about."""
        return world.report_on_file()

    def letters(self) -> list[dict[str, Any]]:
        """Return the mail server's ledger: {key, to, subject, …} for each letter."""
        self._letters += self._around.letters.new()
        return self._letters

    def filings(self) -> list[dict[str, Any]]:
        """Return the authority's ledger: {idempotency_key, …} for each filing."""
        self._filings += self._around.filings.new()
        return self._filings

    def ledgers(self) -> list[Ledger]:
        letters = tuple(world.key_of(letter) for letter in self.letters())
        filings = tuple(filing["idempotency_key"] for filing in self.filings())
        return [
            Ledger(tool="send_email", keys=letters),
            Ledger(tool="submit_to_regulator", keys=filings),
        ]

    def check_invariants(self) -> None:
        """Assert every promise over all rows there are."""
        nothing_is_violated(*self.ledgers())

"""Launching one execution per line: what is refused is told with its line, the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from executions.management.endings import LOST_DATABASE, REFUSALS, first_line
from executions.management.inputs import BadInput, Line, parsed
from executions.operations import Launched
from executions.operations.refusals import NotPermitted

TOLD = 100  # refusals kept for the summary; all are counted

Launch = Callable[[Any, int], Launched]


@dataclass(frozen=True)
class Outcome:
    """What came of one line: launched, or the reason why not."""

    line: int
    launched: Launched | None = None
    refusal: str = ""


@dataclass
class Summary:
    """What came of all lines so far. `stopped_at` is the line at which the database was lost."""

    launched: int = 0
    known: int = 0
    refused: int = 0
    refusals: list[Outcome] = field(default_factory=list)
    stopped_at: int | None = None
    stopped_by: str = ""

    @property
    def lines(self) -> int:
        return self.launched + self.known + self.refused

    def add(self, outcome: Outcome) -> None:
        if outcome.launched is None:
            self.refused += 1
            if len(self.refusals) < TOLD:
                self.refusals.append(outcome)
        elif outcome.launched.is_new:
            self.launched += 1
        else:
            self.known += 1

    def sentences(self) -> list[str]:
        """Return the summary for people, one sentence a line."""
        told = [f"Launched {self.launched:,}, refused {self.refused:,}."]
        if self.known:
            told.append(f"{self.known:,} had been launched before under the same key.")
        told += [f"  line {one.line}: {one.refusal}" for one in self.refusals]
        if self.refused > len(self.refusals):
            told.append(f"  … and {self.refused - len(self.refusals):,} more.")
        if self.refused:
            told.append("Nothing was stored for the refused lines.")
        return told


def launch_lines(lines: Iterable[Line], launch: Launch, summary: Summary) -> Iterator[Outcome]:
    """Launch each line and yield what came of it, keeping `summary`.

    Ends early when the database goes away; raises NotPermitted at the first line.
    """
    for line in lines:
        try:
            outcome = _one(line, launch)
        except LOST_DATABASE as lost:
            summary.stopped_at, summary.stopped_by = line.number, first_line(lost)
            return
        summary.add(outcome)
        yield outcome


def _one(line: Line, launch: Launch) -> Outcome:
    try:
        value = parsed(line.raw, line=line.number)
        return Outcome(line.number, launched=launch(value, line.number))
    except NotPermitted:
        raise  # true of every line
    except (BadInput, *REFUSALS) as refusal:
        return Outcome(line.number, refusal=str(refusal))

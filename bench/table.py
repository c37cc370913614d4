"""The one table: sections of named rows over columns, as text that is also Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """`key` of the figures, or `key` divided by the same key in the column named `over`."""

    label: str
    key: str
    over: str | None = None


@dataclass(frozen=True)
class Section:
    """`columns` maps a heading to the figures of its runs; each cell is their median."""

    title: str
    rows: Sequence[Row]
    columns: dict[str, list[Figures]]

    def cell(self, row: Row, heading: str) -> str:
        value = self._median(heading, row.key)
        if row.over is None:
            return shown(value)
        under = self._median(row.over, row.key)
        return shown(value / under if value is not None and under else None)

    def _median(self, heading: str, key: str) -> float | None:
        values = [run[key] for run in self.columns.get(heading, []) if run.get(key) is not None]
        return median(values) if values else None

    def lines(self) -> list[list[str]]:
        """Return the heading and each row as cells; a row nobody has a figure for is left out."""
        headings = [heading for heading, runs in self.columns.items() if runs]
        body = [[row.label, *(self.cell(row, name) for name in headings)] for row in self.rows]
        return [[self.title, *headings], *(line for line in body if set(line[1:]) != {"-"})]

    def turned(self) -> Turned:
        """Return it with headings as lines and rows as columns, for many headings."""
        return Turned(self.title, self.rows, self.columns)


class Turned(Section):
    """A section whose table lies on its side."""

    def lines(self) -> list[list[str]]:
        return [list(line) for line in zip(*super().lines(), strict=True)]


def shown(value: float | None) -> str:
    """Return three digits that count, thousands apart; '-' for what is not known."""
    if value is None or math.isnan(value):
        return "-"
    if value and abs(value) < 100:
        return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1e}"
    return f"{value:,.0f}"


def render(sections: Sequence[Section]) -> str:
    """Return all sections under each other, their columns aligned."""
    tables = [section.lines() for section in sections]
    return "\n\n".join(_aligned(table) for table in tables if len(table) > 1)


def _aligned(table: list[list[str]]) -> str:
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    rule = [f"{'-' * width}:" for width in widths]
    heading, *body = [_line(line, widths) for line in table]
    return "\n".join([heading, f"|{'-' * (widths[0] + 2)}|-{'|-'.join(rule[1:])}|", *body])


def _line(cells: list[str], widths: list[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(padded)} |"


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]


def times_ms(values: list[float]) -> dict[str, float]:
    """Return median and 95th percentile in milliseconds."""
    return {
        "times": len(values),
        "p50_ms": 1000 * median(values),
        "p95_ms": 1000 * _p95(values),
    }

"""The benchmark runs to its end at its smallest size. No time is judged here."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentops.environment import BASE_DIR
from bench.table import Row, Section, render, shown

WITHIN_S = 240
PARTS = ("durable", "latency", "agents", "response")


def folders() -> set[Path]:
    return set((BASE_DIR / ".local").glob("bench-*"))


@pytest.mark.processes
@pytest.mark.slow
def test_it_runs_to_its_end_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """One run serves all: two at once would take each other's folder for a leftover."""
    before = folders()
    printed, sections = smallest(tmp_path / "figures.json")

    assert folders() <= before, "it left its cluster behind"
    assert [title.split(":")[0] for title in sections] == [
        "W",
        "W-lat",
        "The site's agents to their first review",
        "How soon, one standing runner",
        "The desk",
    ]
    assert all(title in printed for title in sections)
    assert "fsync=on, synchronous_commit=on" in printed
    every_column_has_figures(sections)
    the_journal_shares_commits(sections)
    its_desk_counts_what_a_page_asks(sections)


def smallest(figures: Path) -> tuple[str, dict[str, Any]]:
    """Run everything once; return what it printed and every run's figures."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *PARTS, "desk", "--smallest", "--json", str(figures)],
        cwd=BASE_DIR,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout, json.loads(figures.read_text())


def every_column_has_figures(sections: dict[str, Any]) -> None:
    columns = {heading: runs for section in sections.values() for heading, runs in section.items()}
    assert all(columns.values())
    for heading, runs in columns.items():
        unknown = [name for run in runs for name, value in run.items() if math.isnan(value)]
        assert not unknown or not Path("/proc/self").exists(), (heading, unknown)


def the_journal_shares_commits(sections: dict[str, Any]) -> None:
    """Twelve executions at once, so twelve writes wait for each commit."""
    durable = next(columns for title, columns in sections.items() if title.startswith("W:"))
    (run,) = durable["engine, 1 runner"]
    assert run["batches_per_write"] < 0.5
    assert run["entries_per_batch"] > 2


def its_desk_counts_what_a_page_asks(sections: dict[str, Any]) -> None:
    desk = next(columns for title, columns in sections.items() if title.startswith("The desk"))
    assert {"queue", "a letter", "approve, and what follows"} <= set(desk)
    assert all(run["queries"] > 0 for (run,) in desk.values())
    assert all(run["kilobytes"] > 1 for run in desk["queue"])  # a poll without news has no body


def test_a_cell_is_the_median_or_its_share_of_another_column() -> None:
    section = Section(
        "speed",
        (Row("writes", "w"), Row("of the floor's", "w", over="floor"), Row("unknown", "x")),
        {"floor": [{"w": 10.0}], "ours": [{"w": 1.0}, {"w": 5.0}, {"w": 4.0}], "absent": []},
    )
    assert section.lines() == [
        ["speed", "floor", "ours"],
        ["writes", "10", "4"],
        ["of the floor's", "1", "0.4"],
    ]


def test_the_table_is_markdown_with_aligned_columns() -> None:
    section = Section("s", (Row("a", "a"),), {"one": [{"a": 1234.5}]})
    assert render([section]).splitlines() == [
        "| s |   one |",
        "|---|------:|",
        "| a | 1,234 |",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (math.nan, "-"),
        (0, "0"),
        (0.0312, "0.0312"),
        (12.345, "12.3"),
        (12345, "12,345"),
    ],
)
def test_a_number_is_shown_with_the_digits_that_count(value: float | None, text: str) -> None:
    assert shown(value) == text

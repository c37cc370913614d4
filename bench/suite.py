"""Which runs make up the table, and how its rows are called."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench import desk, durable, floor, latency, long_history, response
from bench.agents import LOOP, LOOP_IN_THREADS, WRITES
from bench.place import Place
from bench.table import Figures, Row, Section, times_ms

PARTS = ("durable", "latency", "agents", "response")
APART = ("history", "desk")  # only when named: they fill gigabytes
HOT_AT_LEAST = 80

PGBENCH, BARE = "pgbench, 16 clients", "bare client"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is done. `smallest` only shows that everything runs."""

    executions: int = 600
    in_flight: int = 300
    latency_s: float = 0.5
    times: int = 60
    repetitions: int = 3
    floor_s: int = 3
    capacity: int = 128
    history: int = 20_000
    desk_history: int = 1_000_000
    reviews: int = 5_000
    rounds: int = 20
    people: int = 4


SMALLEST = Size(
    executions=12,
    in_flight=6,
    latency_s=0.05,
    times=3,
    repetitions=1,
    floor_s=1,
    history=200,
    desk_history=200,
    reviews=60,
    rounds=1,
    people=1,
)

DURABLE_ROWS = (
    Row("executions/s", "executions_per_s"),
    Row("durable writes/s", "writes_per_s"),
    Row("… of pgbench's", "writes_per_s", over=PGBENCH),
    Row("commits per write (all transactions)", "commits_per_write"),
    Row("journal batches per write", "batches_per_write"),
    Row("entries per journal batch", "entries_per_batch"),
    Row("fsyncs per write", "fsyncs_per_write"),
    Row("WAL bytes per write", "wal_bytes_per_write"),
    Row("… without full-page images", "wal_record_bytes_per_write"),
    Row("HOT updates of executions, status changes apart, %", "hot_percent_executions"),
    Row("HOT updates of tool calls, %", "hot_percent_calls"),
    Row("client CPU s per 1000 writes", "client_cpu_s"),
    Row("PostgreSQL CPU s per 1000 writes", "pg_cpu_s"),
    Row("peak memory of all runners, MB", "peak_mb"),
)
LATENCY_ROWS = (
    Row("executions in flight", "executions"),
    Row("runners", "runners"),
    Row("ideal makespan, s", "ideal_s"),
    Row("makespan, s", "makespan_s"),
    Row("… of the bare client's", "makespan_s", over=BARE),
    Row("peak memory of all runners, MB", "peak_mb"),
    Row("… above idle, KB per execution", "kb_per_execution"),
    Row("runners' CPU, s", "client_cpu_s"),
    Row("LLM server's CPU, s", "server_cpu_s"),
    Row("PostgreSQL's CPU, s", "postgres_cpu_s"),
)
RESPONSE_ROWS = (
    Row("how many", "times"),
    Row("p50, ms", "p50_ms"),
    Row("p95, ms", "p95_ms"),
)
HISTORY_ROWS = (
    Row("seconds", "seconds"),
    Row("executions looked at", "executions"),
    Row("peak memory, MB", "peak_mb"),
    Row("disk, GB", "gigabytes"),
    Row("p50, ms", "p50_ms"),
    Row("p95, ms", "p95_ms"),
    Row("queries", "queries"),
)
DESK_ROWS = (
    Row("p50, ms", "p50_ms"),
    Row("p95, ms", "p95_ms"),
    Row("p50 ÷ first line's", "p50_ms", over=desk.PLAIN),
    Row("all at once: p50, ms", "together_p50_ms"),
    Row("p95, ms", "together_p95_ms"),
    Row("web CPU, ms", "cpu_ms"),
    Row("queries", "queries"),
    Row("KB", "kilobytes"),
)


def durable_section(place: Place, size: Size) -> Section:
    """W, its floors between its runs, so that all see the same machine."""
    w: dict[str, Any] = {"executions": size.executions, "capacity": size.capacity}
    kinds: dict[str, Callable[[], Figures | None]] = {
        PGBENCH: lambda: floor.pgbench(place, seconds=size.floor_s),
        "psycopg, 32 connections": lambda: floor.psycopg(place, executions=size.executions),
        "engine, 1 runner": lambda: durable.measure(place, agent=LOOP.name, processes=1, **w),
        "engine, 2 runners": lambda: durable.measure(place, agent=LOOP.name, processes=2, **w),
        "engine, 1, tool in threads": lambda: durable.measure(
            place, agent=LOOP_IN_THREADS.name, processes=1, **w
        ),
    }
    columns = repeated(kinds, size.repetitions)
    title = f"W: {size.executions} executions x {WRITES} durable writes, no latency"
    warn_of_cold_updates(columns)
    return Section(title, DURABLE_ROWS, columns)


def latency_section(place: Place, size: Size) -> Section:
    """W-lat, and the same requests without an engine."""
    common: dict[str, Any] = {"executions": size.in_flight, "latency_s": size.latency_s}
    kinds: dict[str, Callable[[], Figures | None]] = {
        BARE: lambda: latency.bare(place, **common),
        "W, 1 runner": lambda: latency.completing(place, workers=1, **common),
        "W, 2 runners": lambda: latency.completing(place, workers=2, **common),
    }
    title = f"W-lat: {size.in_flight} at once, {size.latency_s} s per LLM call over HTTP"
    return Section(title, LATENCY_ROWS, repeated(kinds, 1))


def agents_section(place: Place, size: Size) -> Section:
    """The site's own agents, whose tools read the database."""
    common: dict[str, Any] = {"executions": size.in_flight, "latency_s": size.latency_s}
    kinds: dict[str, Callable[[], Figures | None]] = {
        "1 runner": lambda: latency.until_review(place, workers=1, **common),
        "2 runners": lambda: latency.until_review(place, workers=2, **common),
    }
    title = f"The site's agents to their first review: {size.in_flight} at once"
    return Section(title, LATENCY_ROWS, repeated(kinds, 1))


def response_section(place: Place, size: Size) -> Section:
    """How soon a standing runner notices."""
    measured = response.measure(place, times=size.times)
    columns = {heading: [times_ms(values)] for heading, values in measured.items()}
    return Section("How soon, one standing runner", RESPONSE_ROWS, columns)


def history_section(place: Place, size: Size) -> Section:
    """The checks and the pages beside a long history; a column is turned into a line."""
    measured = long_history.measure(place, executions=size.history, times=size.times)
    columns = {heading: [figures] for heading, figures in measured.items()}
    return Section(f"Beside {size.history:,} executions", HISTORY_ROWS, columns).turned()


def desk_section(place: Place, size: Size) -> Section:
    """The review desk with much to do beside a long history; a column is turned into a line."""
    measured = desk.measure(
        place,
        executions=size.desk_history,
        reviews=size.reviews,
        times=size.rounds,
        people=size.people,
    )
    columns = {heading: [figures] for heading, figures in measured.items()}
    title = f"The desk: {size.reviews:,} reviews beside {size.desk_history:,} executions"
    return Section(title, DESK_ROWS, columns).turned()


def repeated(
    kinds: dict[str, Callable[[], Figures | None]], repetitions: int
) -> dict[str, list[Figures]]:
    """Run every kind in turn, as often as asked."""
    columns: dict[str, list[Figures]] = {heading: [] for heading in kinds}
    for number in range(1, repetitions + 1):
        for heading, run in kinds.items():
            began = time.monotonic()
            figures = run()
            if figures is not None:
                columns[heading].append(figures)
            took = time.monotonic() - began
            print(f"  {number}/{repetitions} {heading}: {took:.1f} s", file=sys.stderr, flush=True)
    return columns


def warn_of_cold_updates(columns: dict[str, list[Figures]]) -> None:
    """Say so when updates that change no indexed column touch the indexes all the same."""
    for heading, runs in columns.items():
        for kind in ("executions", "calls"):
            hot = [run[f"hot_percent_{kind}"] for run in runs if f"hot_percent_{kind}" in run]
            if hot and min(hot) < HOT_AT_LEAST:
                least = f"expected at least {HOT_AT_LEAST} %"
                print(f"WARNING: {heading}: HOT updates of {kind} {min(hot):.0f} %, {least}")


SECTIONS = {
    "durable": durable_section,
    "latency": latency_section,
    "agents": agents_section,
    "response": response_section,
    "history": history_section,
    "desk": desk_section,
}

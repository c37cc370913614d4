"""python -m bench [durable] [latency] [agents] [response] [--smallest] [--json FILE]
python -m bench history [--history 1000000]
python -m bench desk [--history 1000000] [--reviews 5000]

Starts a PostgreSQL of its own with default parameters, runs everything, prints one table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from dataclasses import replace
from pathlib import Path

from bench.place import open_place, prepare

PLACE = prepare()  # before Django reads its settings

import django  # noqa: E402

django.setup()

from django.db import connection  # noqa: E402

from bench.suite import APART, PARTS, SECTIONS, SMALLEST, Size  # noqa: E402
from bench.table import render  # noqa: E402


def main() -> None:
    given = _options().parse_args()
    size = SMALLEST if given.smallest else Size()
    if given.repetitions:
        size = replace(size, repetitions=given.repetitions)
    if given.history:
        size = replace(size, history=given.history, desk_history=given.history)
    if given.reviews:
        size = replace(size, reviews=given.reviews)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with open_place(PLACE):
        print(machine(), flush=True)
        sections = [SECTIONS[part](PLACE, size) for part in given.parts or PARTS]
    print(f"\n{render(sections)}")
    if given.json:
        runs = {section.title: section.columns for section in sections}
        given.json.write_text(json.dumps(runs, indent=1) + "\n")


def machine() -> str:
    """Return what the figures depend on, in one line."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = cursor.fetchone()[0]
        cursor.execute("SHOW fsync")
        fsync = cursor.fetchone()[0]
        cursor.execute("SHOW synchronous_commit")
        commit = cursor.fetchone()[0]
    return (
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.system()}, Python"
        f" {platform.python_version()}, PostgreSQL {postgres}, fsync={fsync},"
        f" synchronous_commit={commit}; medians of the runs"
    )


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument(
        "parts", nargs="*", choices=[[], *PARTS, *APART], help="default: all but history and desk"
    )
    options.add_argument("--smallest", action="store_true", help="only to see that it runs")
    options.add_argument("--repetitions", type=int, help="of workload W (3)")
    options.add_argument("--history", type=int, help="executions to fill (20,000; desk: 1,000,000)")
    options.add_argument("--reviews", type=int, help="open reviews to fill for the desk (5,000)")
    options.add_argument("--json", type=Path, help="write every run's figures to this file")
    return options


if __name__ == "__main__":
    main()

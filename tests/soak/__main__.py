"""python -m tests.soak [--minutes 10] [--seed 1] [--report FILE]

Real processes under load, and a monkey that kills, freezes and restarts them; then everything has
to come to rest, and the outside's ledgers judge. Exit status 1 when anything was lost, happened
twice or unapproved, is stuck, or broke.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from agentops.dev.ports import LOOPBACK, first_free
from agentops.environment import LOCAL_DIR
from bench.place import open_place, prepare
from tests.soak.postgres import PARAMETERS

PLACE = prepare(name="soak", settings="agentops.settings", parameters=PARAMETERS)
AUTHORITY_PORT = first_free([])
os.environ.update(  # before Django reads its settings
    AGENTOPS_AGENT_MODULES="agentops.agents,tests.support.rehearsed_agent",
    AGENTOPS_SANDBOX_REGULATOR_URL=f"http://{LOOPBACK}:{AUTHORITY_PORT}/filings",
    AGENTOPS_UNDO_S="3",
)

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402

from tests.soak.cast import make_cast  # noqa: E402
from tests.soak.monkey import WEIGHTS  # noqa: E402
from tests.soak.soak import Plan, Soak, write  # noqa: E402
from tests.soak.world import World  # noqa: E402


def main() -> int:
    given = _options().parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    kept = LOCAL_DIR / "soak" / time.strftime("%Y%m%d-%H%M%S")
    kept.mkdir(parents=True)
    plan = Plan(
        minutes=given.minutes,
        seed=given.seed,
        launches_per_s=given.launches,
        monkey_every_s=tuple(given.monkey),
        monkey_only=given.only or [],
        quiet_s=given.quiet,
    )
    print(f"soak: {plan}\nlogs and ledgers: {kept}", flush=True)  # noqa: T201
    with open_place(PLACE):
        call_command("createcachetable", verbosity=0)
        make_cast()
        report = _soaked(plan, kept)
    write(report, kept / "report.json")
    if given.report:
        write(report, given.report)
    print(json.dumps(report, indent=1, ensure_ascii=False))  # noqa: T201
    return 1 if report["violations"] else 0


def _soaked(plan: Plan, kept: Path) -> dict[str, Any]:
    world = None
    try:
        world = World(PLACE, kept=kept, authority_port=AUTHORITY_PORT)
        print(f"all stand after {world.wait_until_it_stands():.1f} s", flush=True)  # noqa: T201
        report = Soak(world, plan, kept=kept).run()
        return {**report, "drain_s": world.family.drain()}
    finally:
        if world is not None:
            world.family.stop()
        shutil.copy(PLACE.server.data / "server.log", kept / "postgres.log")


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="make soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = options.add_argument
    add("--minutes", type=float, default=10.0, help="of faults, before all has to come to rest")
    add("--seed", type=int, default=1, help="of everything random here; processes have their own")
    add("--report", type=Path, metavar="FILE", help="write the report there too, as JSON")
    add("--launches", type=float, default=2.5, metavar="PER_S", help="launched a second (2.5)")
    add(
        "--monkey",
        type=float,
        nargs=2,
        default=(3.0, 8.0),
        metavar="S",
        help="between two of the monkey's acts, from and to (3 8)",
    )
    add("--only", action="append", choices=list(WEIGHTS), help="what the monkey does; repeatable")
    add("--quiet", type=float, default=240.0, metavar="S", help="how long rest may take (240)")
    return options


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

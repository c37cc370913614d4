"""One runner with an instant LLM as a process: says "ready", waits for a line, drives all there is.

Prints one JSON object: its clock and CPU from the first LLM request on, and what the runner did.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import sys
import time
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402

from bench.instant_llm import USAGE, InstantLLM  # noqa: E402 - needs Django set up
from bench.processes import memory_mb  # noqa: E402
from executions.engine import tickets  # noqa: E402
from executions.engine.config import Config  # noqa: E402
from executions.engine.runner import Runner  # noqa: E402
from executions.llm import pricing  # noqa: E402


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--capacity", type=int, required=True)
    options.add_argument("--profile", help="write cProfile's statistics to this file")
    given = options.parse_args()
    pricing.cost(USAGE, llm=settings.AGENTOPS_LLM_MODEL)  # reads its list of prices once
    print("ready", flush=True)
    sys.stdin.readline()
    if not given.profile:
        print(json.dumps(drive(given.capacity)), flush=True)
        return
    profile = cProfile.Profile()
    report = profile.runcall(drive, given.capacity)
    profile.dump_stats(given.profile)
    print(json.dumps(report), flush=True)


def drive(capacity: int) -> dict[str, Any]:
    llm, cpu_s = InstantLLM(), time.process_time()
    config = Config(
        llm=llm,
        capacity=capacity,
        tool_threads=16,
        lease_s=15,
        heartbeat_s=5,
        slice_s=600,
        until_idle=True,
    )
    report = asyncio.run(Runner(config, ring=tickets.ring_on, clear=tickets.clear).run())
    return {
        **report,
        "first_at": llm.first_at,
        "cpu_s": time.process_time() - cpu_s,
        "peak_mb": memory_mb("self", "VmHWM"),
    }


if __name__ == "__main__":
    main()

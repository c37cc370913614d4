"""Workload W's LLM requests by the real adapter, with no engine around: one process, no database.

Prints one JSON object when all are answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

import django

django.setup()

from bench.agents import LOOP, ROUNDS, found, script  # noqa: E402 - needs Django set up
from bench.processes import memory_mb  # noqa: E402
from executions.core.transcript import (  # noqa: E402
    AssistantMessage,
    Item,
    ToolAnswer,
    UserMessage,
    dump,
)
from executions.engine.definitions import define  # noqa: E402
from executions.llm.factory import make_llm  # noqa: E402
from executions.llm.port import LLM, Request  # noqa: E402


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--executions", type=int, required=True)
    options.add_argument("--base-url", required=True)
    given = options.parse_args()
    asyncio.run(run(given.executions, given.base_url))


async def run(executions: int, base_url: str) -> None:
    llm = make_llm(api="responses", base_url=base_url, api_key="rehearsal", capacity=executions)
    idle_mb, began, cpu = memory_mb("self", "VmRSS"), time.perf_counter(), time.process_time()
    await asyncio.gather(*(converse(llm) for _ in range(executions)))
    peak_mb = memory_mb("self", "VmHWM") or 0.0
    report = {
        "makespan_s": time.perf_counter() - began,
        "client_cpu_s": time.process_time() - cpu,
        "peak_mb": peak_mb,
        "kb_per_execution": 1000 * (peak_mb - (idle_mb or 0.0)) / executions,
    }
    print(json.dumps(report), flush=True)
    await llm.close()


async def converse(llm: LLM) -> None:
    """Hold one conversation of five rounds and an answer."""
    definition = define(LOOP)
    items: list[Item] = [UserMessage(text=f"Input:\n{dump({'rehearse': script(ROUNDS)})}")]
    for turn in range(ROUNDS + 1):
        request = Request(
            llm=definition.llm,
            instructions=definition.instructions,
            items=tuple(items),
            tools=definition.tools,
            max_output_tokens=50_000,
        )
        reply = await llm.ask(request, timeout_s=60)
        items.append(AssistantMessage(text=reply.text, calls=reply.calls))
        for call in reply.calls:
            items.append(ToolAnswer(call_id=call.id, text=dump(found(turn))))


if __name__ == "__main__":
    main()

"""A real runner in a thread of the test's own process, on the test's database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from executions.engine import tickets
from executions.engine.config import Config
from executions.engine.runner import Runner
from executions.llm.factory import make_llm

JOIN_S = 60.0


def config(*, base_url: str, api: str = "responses", until_idle: bool = False) -> Config:
    """Return a runner's configuration that speaks to the LLM server at `base_url`."""
    llm = make_llm(api=api, base_url=base_url, api_key="rehearsal", capacity=200)
    return Config(
        llm=llm,
        capacity=200,
        tool_threads=8,
        lease_s=15,
        heartbeat_s=5,
        slice_s=3600,
        until_idle=until_idle,
    )


def run_until_idle(*, base_url: str, api: str = "responses", **changes: object) -> dict[str, int]:
    """Drive everything claimable until it ends or waits; return the runner's report."""
    chosen = replace(config(base_url=base_url, api=api, until_idle=True), **changes)  # type: ignore[arg-type]
    return asyncio.run(Runner(chosen, ring=tickets.ring_on, clear=tickets.clear).run())


@contextmanager
def standing_runner(*, base_url: str) -> Iterator[Runner]:
    """A runner that stands until the end of the block, then drains."""
    started = threading.Event()
    held: dict[str, object] = {}

    async def main() -> None:
        runner = Runner(config(base_url=base_url), ring=tickets.ring_on, clear=tickets.clear)
        held.update(runner=runner, loop=asyncio.get_running_loop())
        started.set()
        await runner.run()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert started.wait(JOIN_S)
    runner, loop = held["runner"], held["loop"]
    assert isinstance(runner, Runner)
    assert isinstance(loop, asyncio.AbstractEventLoop)
    try:
        yield runner
    finally:
        loop.call_soon_threadsafe(runner.stop)
        thread.join(JOIN_S)
        assert not thread.is_alive(), "the runner did not drain"

"""python -m agentops.rehearsal --port 8001 [--latency 0.5] [--log FILE] [--script FILE]"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from agentops.rehearsal.faults import FaultError
from agentops.rehearsal.record import Record
from agentops.rehearsal.server import Rehearsal

HOST = "127.0.0.1"
# A thousand clients may knock in the same instant.
BACKLOG = 4096
SHUTDOWN_S = 0.5


def main() -> int:
    """Serve until told to stop; returns the exit status."""
    options = _options().parse_args()
    try:
        script = _script(options.script)
        with Record(options.log) as record:
            rehearsal = Rehearsal(
                record=record,
                latency_s=options.latency,
                key=options.key,
                replies=script.get("replies"),
                faults=script.get("faults", ()),
            )
            asyncio.run(_serve(rehearsal, port=options.port))
    except (OSError, FaultError, ValueError) as error:
        sys.stderr.write(f"rehearsal: {error}\n")
        return 1
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m agentops.rehearsal", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="on loopback; 0 finds a free one")
    parser.add_argument("--latency", type=float, default=0.5, help="seconds before each answer")
    parser.add_argument("--log", type=Path, help="append every request here, as JSON lines")
    parser.add_argument("--script", type=Path, help='JSON: {"replies": […], "faults": […]}')
    parser.add_argument("--key", help="accept only this API key (default: any)")
    return parser


def _script(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    script = json.loads(path.read_text())
    if not isinstance(script, dict) or not script.keys() <= {"replies", "faults"}:
        raise ValueError(f'{path} must be an object with "replies" and "faults"')
    return script


async def _serve(rehearsal: Rehearsal, *, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    # A client that gave up must not leave its answer being played.
    runner = web.AppRunner(
        rehearsal.app(), access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port, backlog=BACKLOG)
        await site.start()
        sys.stdout.write(f"rehearsal listens on http://{HOST}:{runner.addresses[0][1]}/v1\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())

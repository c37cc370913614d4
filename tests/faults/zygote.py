"""A warmed-up process without connections and threads, of which each job forks a child.

The child does one job of a worker or of a web process, and may be killed in it by SIGKILL at a
named point. It writes down each hit before anything happens there, so what it was doing is known.
The zygote reaps it at once: whoever looks for dead runners finds no such process.

    python -m tests.faults.zygote       one JSON job a line in, one JSON report a line out
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import django

django.setup()

import pytest  # noqa: E402
from django.conf import settings  # noqa: E402

from executions.engine import tickets  # noqa: E402
from executions.engine.config import Config  # noqa: E402
from executions.engine.runner import Runner  # noqa: E402
from executions.llm.factory import make_llm  # noqa: E402
from executions.llm.port import LLM  # noqa: E402
from executions.operations import Refusal  # noqa: E402
from tests.faults import world  # noqa: E402
from tests.faults.acts import Act, perform  # noqa: E402
from tests.faults.crashing import Chance, Died, Fault, Injector, Mode, Place  # noqa: E402

Tell = Callable[..., None]


def main() -> None:
    llm = make_llm(
        api="responses", base_url=settings.OPENAI_BASE_URL, api_key="rehearsal", capacity=200
    )
    with pytest.MonkeyPatch.context() as patch:
        world.be_quick(patch)
        gc.collect()
        gc.freeze()
        assert threading.active_count() == 1
        _say({"ready": os.getpid()})
        for line in sys.stdin:
            _say(_in_a_child(json.loads(line), llm))


def _in_a_child(job: dict[str, Any], llm: LLM) -> dict[str, Any]:
    """Fork, let the child do the job or die, reap it; return what it told."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _be_the_child(job, llm, write)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = [json.loads(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    return {"told": told, "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}


def _be_the_child(job: dict[str, Any], llm: LLM, pipe: int) -> None:
    def tell(kind: str, *what: Any) -> None:
        os.write(pipe, (json.dumps([kind, *what]) + "\n").encode())

    try:
        with _injector(job, tell).installed():
            tell("done", _do(job, llm))
    except Refusal as refusal:
        tell("done", f"{type(refusal).__name__}: {refusal}")
    except (Died, asyncio.CancelledError):
        tell("died")
    except BaseException as error:
        tell("failed", repr(error))
    finally:
        os._exit(0)


def _do(job: dict[str, Any], llm: LLM) -> Any:
    if job["act"] is not None:
        return perform(Act(*job["act"]))
    config = Config(
        llm=llm, capacity=200, tool_threads=4, lease_s=15, heartbeat_s=5.0, slice_s=3600.0,
        until_idle=True,
    )  # fmt: skip
    with suppress(KeyError):  # its counts are of no interest
        asyncio.run(Runner(config, ring=tickets.ring_on, clear=tickets.clear).run())
    return "lived"


def _injector(job: dict[str, Any], tell: Tell) -> Injector:
    injector = Injector(
        [Fault(point, nth, Mode(mode)) for point, nth, mode in job["plan"]],
        [Chance(*chance) for chance in job["chances"]],
    )
    injector.resume([Place(*place) for place in job["places"]], tell)
    # a death anywhere is the death of this whole process
    injector.on_death = lambda: (tell("died"), os._exit(0))  # type: ignore[assignment]
    return injector


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

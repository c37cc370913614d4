"""An LLM without latency inside the process, as the compared systems have: the engine remains."""

from __future__ import annotations

import json
import time

from bench.agents import PROSE, ROUNDS
from executions.core.transcript import AssistantMessage, Finish, Reply, RequestedCall, Usage
from executions.llm.port import Request

USAGE = Usage(input_tokens=400, output_tokens=80, total_tokens=480)
DIGEST = "0" * 64  # the HTTP adapters hash the request's body


class InstantLLM:
    """Asks for the agent's one tool five times, then answers; notes when it was first asked."""

    def __init__(self) -> None:
        self.first_at: float | None = None

    async def ask(self, request: Request, *, timeout_s: float) -> Reply:
        self.first_at = self.first_at or time.time()
        turn = sum(isinstance(item, AssistantMessage) for item in request.items)
        if turn >= ROUNDS:
            return Reply(text=PROSE, usage=USAGE, llm=request.llm, request_digest=DIGEST)
        call = RequestedCall(
            id=f"call_{turn}", name=request.tools[0].name, arguments=json.dumps({"turn": turn})
        )
        return Reply(
            text=PROSE,
            calls=(call,),
            finish=Finish.TOOL_CALLS,
            usage=USAGE,
            llm=request.llm,
            request_digest=DIGEST,
        )

    async def close(self) -> None:
        return None

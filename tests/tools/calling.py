"""A tool called the way the engine calls it: parsed, and within a transaction if it needs one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from tools.base import Effect, ToolContext
from tools.registry import get_tool

CALL = UUID("11111111-1111-4111-8111-111111111111")
KEY = "5f" * 32


def a_context(**changes: Any) -> ToolContext:
    usual: dict[str, Any] = {
        "execution_id": UUID("22222222-2222-4222-8222-222222222222"),
        "call_id": CALL,
        "idempotency_key": KEY,
        "agent_type": "customer_record_steward",
        "user_id": UUID("33333333-3333-4333-8333-333333333333"),
        "deadline_s": 10.0,
    }
    return ToolContext(**{**usual, **changes})


def run(name: str, arguments: dict[str, Any], **context: Any) -> Any:
    """`run("send_email", {...}, deadline_s=3)`."""
    chosen = get_tool(name)
    parsed = chosen.parse(arguments)
    if chosen.effect is Effect.TRANSACTIONAL:
        with transaction.atomic():
            return chosen.call(parsed, a_context(**context))
    return chosen.call(parsed, a_context(**context))

"""Whatever a tool raises or returns: its call says so, and nothing else is touched."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psutil
import pytest
from django.db import connection

from agentops.accounts.models import User
from executions.core.transcript import ANSWER_CHARS
from executions.models import AgentExecution, AgentToolCall
from tests.factories import fresh
from tests.faults.checking import nothing_is_violated
from tests.rehearsal_server import RehearsalServer
from tests.support.standing_runner import run_until_idle
from tests.support.trial import asking, only_call, trial
from tools.base import Effect, OutcomeUnknown, ToolError, tool


class Mute(Exception):
    """Its words are the tool's code, too."""

    def __str__(self) -> str:
        raise SystemExit(9)


class MuteRefusal(ToolError):
    def __str__(self) -> str:
        raise ValueError("no words")


def _endless(depth: int = 0) -> int:
    return _endless(depth + 1) + 1


def _raise(error: BaseException) -> Any:
    raise error


RAISES: dict[str, Callable[[], Any]] = {
    "ValueError": lambda: _raise(ValueError("wrong value \0 \ud800")),
    "SystemExit": lambda: _raise(SystemExit(3)),
    "KeyboardInterrupt": lambda: _raise(KeyboardInterrupt()),
    "GeneratorExit": lambda: _raise(GeneratorExit()),
    "CancelledError": lambda: _raise(asyncio.CancelledError()),
    "BaseException": lambda: _raise(BaseException("bare")),
    "StopIteration": lambda: _raise(StopIteration(1)),
    "RecursionError": _endless,
    "MemoryError": lambda: _raise(MemoryError()),
    "TimeoutError": lambda: _raise(TimeoutError("the other side's own")),
    "Mute": lambda: _raise(Mute()),
    "MuteRefusal": lambda: _raise(MuteRefusal()),
    "OutcomeUnknown": lambda: _raise(OutcomeUnknown("who knows")),
    "BaseExceptionGroup": lambda: _raise(BaseExceptionGroup("many", [SystemExit(1), OSError()])),
    "OSError": lambda: _raise(OSError("x" * 1_000_000)),
}
SECRET = "hunter2"


@tool(effect=Effect.READ)
def blow(*, kind: str) -> Any:
    """Raise something."""
    password = SECRET
    return RAISES[kind]() or password


@tool(effect=Effect.READ)
async def blow_later(*, kind: str) -> Any:
    """Raise something in the runner's own loop."""
    await asyncio.sleep(0)
    return RAISES[kind]()


async def _later() -> str:
    return "never awaited"


def _circular() -> list[Any]:
    round_: list[Any] = []
    round_.append({"again": round_})
    return round_


GIVES: dict[str, tuple[Callable[[], Any], str]] = {
    "bytes": (lambda: b"\xff\0", "base64:/wA="),
    "set": (lambda: {1}, "[1]"),
    "decimal": (lambda: Decimal("0.10"), "0.10"),
    "datetime": (lambda: datetime(2026, 3, 1, tzinfo=UTC), "2026-03-01T00:00:00+00:00"),
    "circular": (_circular, "cut: too deep"),
    "row": (lambda: User(username="olga"), "<User>"),
    "none": (lambda: None, "null"),
    "nan": (lambda: float("nan"), "nan"),
    "surrogate": (lambda: "half \ud800 \0", "half"),
    "wide keys": (lambda: {(1, 2): {None: 1}}, "(1, 2)"),
}
GIVES_NOTHING: dict[str, Callable[[], Any]] = {
    "generator": lambda: (n for n in (1, 2)),
    "iterator": lambda: map(str, (1, 2)),
    "coroutine": _later,
    "async generator": lambda: (n async for n in _none()),
}


async def _none() -> Any:
    yield None


@tool(effect=Effect.READ)
def give(*, kind: str) -> Any:
    """Return something."""
    return GIVES_NOTHING[kind]() if kind in GIVES_NOTHING else GIVES[kind][0]()


POURS: dict[str, Callable[[], Any]] = {
    "text": lambda: "head " + "x" * 100_000_000 + " tail",
    "rows": lambda: [{"n": n} for n in range(1_000_000)],
}


@tool(effect=Effect.READ)
def pour(*, kind: str) -> Any:
    """Return a flood."""
    return POURS[kind]()


@pytest.fixture
def tools(committed_db: None) -> Iterator[None]:
    with trial(blow, blow_later, give, pour):
        yield


def driven(rehearsal: RehearsalServer, executions: dict[str, AgentExecution]) -> dict[str, int]:
    report = run_until_idle(base_url=rehearsal.base_url)
    for kind, execution in executions.items():
        assert fresh(execution).status == "completed", (kind, execution.error)
    return report


def told_of(rehearsal: RehearsalServer, execution: AgentExecution) -> str:
    """What the LLM was told of the one call of this execution."""
    call_id = only_call(execution).provider_call_id
    items = [
        item
        for request in rehearsal.log()
        for item in request["body"]["input"]
        if item.get("call_id") == call_id and "output" in item
    ]
    mine = [item for item in items if item["output"]]
    assert mine, "it was told nothing"
    return str(mine[-1]["output"])


@pytest.mark.parametrize("name", ["blow", "blow_later"])
def test_whatever_a_tool_raises_is_its_calls_failure_and_nobody_elses(
    tools: None, rehearsal: RehearsalServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """T1: in a thread and in the runner's loop; the traceback is in the log alone."""
    caplog.set_level(logging.WARNING)
    executions = {kind: asking(name, kind=kind) for kind in RAISES}

    report = driven(rehearsal, executions)

    assert (report["driven"], report["lost_threads"]) == (len(RAISES), 0)
    errors = {kind: only_call(one).error or "" for kind, one in executions.items()}
    calls = {kind: only_call(one).status for kind, one in executions.items()}
    assert set(calls.values()) == {"failed"}, calls
    silent = {"Mute": "cannot be shown", "MuteRefusal": "cannot be shown"}
    worded = {"OutcomeUnknown": "who knows", "ValueError": "wrong value \ufffd"}
    for kind, error in errors.items():
        expected = {**silent, **worded}.get(kind, kind)
        assert expected in error, (kind, error)
        assert len(error) < 5000
        assert "Traceback" not in error
        assert SECRET not in error
    assert "took longer" not in errors["TimeoutError"], "it was the other side's, not ours"
    assert "in blow" in caplog.text, "the traceback is in the log"
    nothing_is_violated()


def test_whatever_a_tool_returns_is_stored_or_refused(
    tools: None, rehearsal: RehearsalServer
) -> None:
    """T3: one function makes it storable; what has yet to be run is no output."""
    given = {kind: asking("give", kind=kind) for kind in GIVES}
    refused = {kind: asking("give", kind=kind) for kind in GIVES_NOTHING}

    driven(rehearsal, {**given, **refused})

    for kind, one in given.items():
        call = only_call(one)
        assert call.status == "succeeded", (kind, call.error)
        assert GIVES[kind][1] in json.dumps(call.tool_output), kind
    for kind, one in refused.items():
        call = only_call(one)
        assert call.status == "failed", kind
        assert "which nobody has run" in (call.error or "")
    nothing_is_violated()


def test_a_flood_is_cut_where_it_is_stored_and_again_where_the_llm_reads_it(
    tools: None, rehearsal: RehearsalServer
) -> None:
    """T4: 100 MB and a million rows; the runner holds none of it afterwards."""
    process = psutil.Process()
    executions = {kind: asking("pour", kind=kind) for kind in POURS}
    before = process.memory_info().rss

    driven(rehearsal, executions)

    assert process.memory_info().rss - before < 150_000_000
    for kind, one in executions.items():
        size, shown = _stored(only_call(one))
        assert size < 1_000_000, kind
        assert "cut" in shown, "it says that something is missing"
        told = told_of(rehearsal, one)
        assert len(told) < ANSWER_CHARS + 200
        assert "characters left out" in told
    text = told_of(rehearsal, executions["text"])
    assert "head xxx" in text
    assert "100000010 characters in all, sha256" in text
    nothing_is_violated()


def _stored(call: AgentToolCall) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT octet_length(tool_output::text), right(tool_output::text, 2000)"
            " FROM agent_tool_calls WHERE id = %s",
            [call.pk],
        )
        size, tail = cursor.fetchone()
        return int(size), str(tail)

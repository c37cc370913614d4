"""Tools that never come back until a test lets them. In a worker process nobody ever does."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

from django.db import connection

from tools.base import Effect, Tool, never, tool

# what a process needs to have them
MODULES = {"AGENTOPS_AGENT_MODULES": "agentops.agents,tests.support.stuck_process"}
RELEASE = threading.Event()
HELD = threading.Lock()
HELD.acquire()


def _in_a_sleep() -> None:
    RELEASE.wait()


def _in_a_busy_loop() -> None:
    while not RELEASE.is_set():
        pass


def _in_c() -> None:
    """No signal and no exception reaches a thread that waits for a lock in C."""
    HELD.acquire()
    HELD.release()


def _at_a_socket() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, socket.create_connection(silent.getsockname()) as ours:
        ours.settimeout(0.1)
        while not RELEASE.is_set():
            try:
                ours.recv(1)
            except TimeoutError:
                continue


def _hanging(name: str, effect: Effect, hang: Any) -> Tool:
    def stuck(*, word: str) -> dict[str, Any]:
        """Hang."""
        hang()
        return {"word": word}

    stuck.__name__ = name
    return tool(effect=effect, approval=never())(stuck)


@tool(effect=Effect.TRANSACTIONAL, approval=never())
def stuck_in_sql(*, word: str) -> dict[str, Any]:
    """Hang in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")
    return {"word": word}


@tool(effect=Effect.ONCE, approval=never())
async def stuck_in_the_loop(*, word: str) -> dict[str, Any]:
    """Hang in the runner's own loop, and go on when told to stop."""
    while not RELEASE.is_set():
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            continue
    return {"word": word}


@tool(effect=Effect.READ)
async def stuck_but_polite(*, word: str) -> dict[str, Any]:
    """Hang in the runner's own loop, and end when told to stop."""
    await asyncio.sleep(600)
    return {"word": word}


@tool(effect=Effect.READ)
async def freeze(*, word: str) -> dict[str, Any]:
    """Hold up the runner's loop itself."""
    while not RELEASE.is_set():
        pass
    return {"word": word}


STUCK: dict[str, Tool] = {
    one.name: one
    for one in (
        _hanging("stuck_in_a_sleep", Effect.READ, _in_a_sleep),
        _hanging("stuck_in_a_busy_loop", Effect.READ, _in_a_busy_loop),
        _hanging("stuck_in_c", Effect.ONCE, _in_c),
        _hanging("stuck_at_a_socket", Effect.IDEMPOTENT, _at_a_socket),
        stuck_in_sql,
        stuck_in_the_loop,
        stuck_but_polite,
        freeze,
    )
}

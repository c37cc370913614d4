"""Tools that need another side, which is up or away as the test wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.trial import trial
from tools.base import Effect, ToolError, ToolUnavailable, never, tool


class OtherSide:
    """The other side of the tools below; counts how often each was really run."""

    def __init__(self) -> None:
        self.is_up = False
        self.ran: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def act(self, what: str) -> dict[str, Any]:
        self.ran.append(what)
        assert self.gate.wait(20)
        if what == "nonsense":
            raise ToolError("there is no such record")
        if not self.is_up:
            raise ToolUnavailable("it is out of reach; nothing happened")
        return {"done": what}


THERE = OtherSide()


@tool(effect=Effect.READ)
def look_there(*, what: str) -> dict[str, Any]:
    """Read something of the other side."""
    return THERE.act(what)


@tool(effect=Effect.ONCE, approval=never())
def do_there(*, what: str) -> dict[str, Any]:
    """Do something on the other side."""
    return THERE.act(what)


@contextmanager
def there_is_another_side() -> Iterator[None]:
    """Register both tools for the block; it begins with the other side away."""
    THERE.__init__()  # type: ignore[misc]
    try:
        with trial(look_there, do_there):
            yield
    finally:
        THERE.gate.set()

"""What every part of the loop needs at hand: one bundle per runner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from executions.engine.breakers import Breakers
from executions.engine.connections import Link
from executions.engine.journal import Journal
from executions.engine.switches import Switches
from executions.engine.threads import ToolThreads
from executions.llm.port import LLM


@dataclass
class Services:
    journal: Journal
    llm: LLM
    threads: ToolThreads
    conn: Link
    breakers: Breakers
    switches: Switches = field(default_factory=Switches)
    is_draining: Callable[[], bool] = field(default=lambda: False)
    is_solo: bool = False


class Blocked(Exception):
    """Nothing can be done for `wait_s` seconds; the execution is put back until then.

    None: until a switch is lifted, for no runner claims it before. `state` is kept on the row for
    whoever goes on, with the reason as `waiting` beside it.
    """

    def __init__(
        self, reason: str, *, wait_s: float | None, state: dict[str, object] | None = None
    ) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        self.state = state or {}


class Stopped(Exception):
    """The execution cannot go on; `code` is its stop reason, the message its error."""

    def __init__(self, code: str, message: str, *, state: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.state = state

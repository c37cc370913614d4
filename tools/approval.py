"""When people must agree to a tool's call, and what happens while nobody decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

DAY_S = 86_400


class ToolDefinitionError(TypeError):
    """The tool is written wrongly; raised when its module is imported."""


@dataclass(frozen=True, kw_only=True)
class Late:
    """What happens while nobody decides; whatever is not given is as the site's settings say.

    `remind_at`: at which percent of a review's time those who may decide are reminded.
    `escalate_to`: the group that is told in the last quarter of it, or once a call of high risk
    has waited for `sla_s` seconds.
    """

    remind_at: tuple[int, ...] | None = None
    escalate_to: str = ""
    sla_s: int | None = None

    def __post_init__(self) -> None:
        if any(not 0 < percent < 100 for percent in self.remind_at or ()):
            raise ToolDefinitionError("people are reminded at percents between 1 and 99")
        if self.sla_s is not None and self.sla_s <= 0:
            raise ToolDefinitionError("sla_s is a number of seconds above 0")


AS_THE_SITE = Late()


@dataclass(frozen=True, kw_only=True)
class Approval:
    """When people must agree. `when` returns the reason a person is needed, or None to run;
    the engine takes an exception from it as a reason."""

    mode: Literal["always", "never", "when"]
    votes: int = 1
    when: Callable[[Any], str | None] | None = None
    expires_after_s: int = 7 * DAY_S
    undo_s: int = 0
    reason: str = ""
    late: Late = AS_THE_SITE

    def __post_init__(self) -> None:
        if (self.mode == "when") != (self.when is not None):
            raise ToolDefinitionError("approval mode 'when' and its function go together")
        if self.votes < 1 or self.expires_after_s <= 0 or self.undo_s < 0:
            raise ToolDefinitionError("approval needs votes >= 1, an expiry > 0 and undo >= 0")


def always(
    *, votes: int = 1, reason: str = "", undo_s: int = 0, late: Late = AS_THE_SITE
) -> Approval:
    """Every call needs `votes` people; undo_s is how long after approval the effect waits."""
    return Approval(mode="always", votes=votes, reason=reason, undo_s=undo_s, late=late)


def never() -> Approval:
    """No call needs a person."""
    return Approval(mode="never")


def when(
    rule: Callable[[Any], str | None], *, votes: int = 1, late: Late = AS_THE_SITE
) -> Approval:
    """A call needs `votes` people if `rule(arguments)` returns a reason."""
    return Approval(mode="when", when=rule, votes=votes, late=late)

"""Named places where a process may die and a connection may break; tests make it happen there.

A point stands on each side of every commit and of every call to the outside: `claim.before`,
`claim.after`. Outside of tests nothing is installed, and a point costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Hook = Callable[[str, Any], None]

_hook: Hook | None = None


def install(hook: Hook | None) -> None:
    """Call `hook(point, connection)` at every point of this process from now on; None: no more.

    `connection` is the database connection that the commit goes through, None at outside calls.
    What the hook raises is raised at the point.
    """
    global _hook  # noqa: PLW0603 - one per process on purpose
    _hook = hook


def hit(point: str, connection: Any = None) -> None:
    """Say that the process is at `point`."""
    if _hook is not None:
        _hook(point, connection)

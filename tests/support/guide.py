"""The examples of docs/write-a-tool.md, run."""

from __future__ import annotations

import re
from typing import Any

from agentops.environment import BASE_DIR

GUIDE = (BASE_DIR / "docs" / "write-a-tool.md").read_text()


def examples() -> dict[str, Any]:
    """Return everything that the guide's examples define, run one after the other."""
    names: dict[str, Any] = {"__name__": "guide"}
    for number, source in enumerate(re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL), start=1):
        exec(compile(source, f"write-a-tool.md, example {number}", "exec"), names)
    return names

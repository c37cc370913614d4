"""What the LLM says in the state machine: drawn as words, made into calls at launch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.faults import scenarios
from tests.faults.world import Report
from tests.support.rehearsed_agent import READ, calls, text

Maker = Callable[[Report, int], scenarios.Call]

WORDS: dict[str, Maker] = {
    "read": lambda _, __: READ,
    "rules": lambda _, __: scenarios.RULES,
    "letter": lambda _, n: scenarios.letter(n),
    "filing": scenarios.filing,
    "update": lambda _, n: scenarios.update(n),
    "document": lambda _, n: scenarios.document(n),
    "letter to a stranger": lambda _, n: ("send_email", {"to": ["x@y.example"], "subject": str(n)}),
    "unknown tool": lambda _, __: ("send_e_mail", {}),
    "not JSON": lambda _, __: ("send_email", "{'to': "),  # type: ignore[return-value]
}
GATED = ("letter", "letter", "letter", "filing", "filing", "update", "document")
FREE = ("read", "rules", "letter to a stranger", "unknown tool", "not JSON")

asked = st.lists(st.sampled_from(GATED + FREE), min_size=1, max_size=3)
gated = st.lists(st.lists(st.sampled_from(GATED), min_size=1, max_size=3), min_size=1, max_size=2)
scripts = st.lists(asked, min_size=1, max_size=3)


def written(words: Sequence[Sequence[str]], report: Report, serial: int) -> list[dict[str, Any]]:
    """Return the script: each reply asks for its calls at once, the last one ends it."""
    replies, number = [], serial * 10
    for reply in words:
        made = []
        for word in reply:
            number += 1
            made.append(WORDS[word](report, number))
        replies.append(calls(*made))
    return [*replies, text()]

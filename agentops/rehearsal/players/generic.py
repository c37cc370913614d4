"""Any agent nobody wrote a part for: it says plainly what it was asked and what it heard."""

from __future__ import annotations

from agentops.rehearsal.conversation import Conversation, Turn
from agentops.rehearsal.players.common import line
from agentops.rehearsal.shapes import final_text


def play(talk: Conversation) -> Turn:
    """Return a final answer at once."""
    heard = [f"{o.call.name} {o.status}" for o in talk.outcomes]
    said = f"This is a rehearsal; no LLM has read this. You said: {line(talk.opening)}"
    if heard:
        said += f" So far: {', '.join(heard)}."
    return Turn(text=final_text(talk, said))

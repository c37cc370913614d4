"""Who plays which agent: chosen by the tools the conversation offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agentops.rehearsal.conversation import Conversation, Turn
from agentops.rehearsal.players import (
    compliance_document_generator,
    customer_record_steward,
    generic,
)
from agentops.rehearsal.script import next_turn

# Player by the tools that give its agent away, the first that fits.
_PLAYERS: tuple[tuple[frozenset[str], Callable[[Conversation], Turn]], ...] = (
    (compliance_document_generator.TOOLS, compliance_document_generator.play),
    (customer_record_steward.TOOLS, customer_record_steward.play),
)


def play(talk: Conversation, *, replies: Sequence[Any] | None = None) -> Turn:
    """Return what the LLM says next. `replies` laid down for the server, or for this execution in
    its input, come before any player."""
    laid_down = replies if replies is not None else talk.input.get("rehearse")
    if isinstance(laid_down, list):
        return next_turn(laid_down, talk)
    for tools, player in _PLAYERS:
        if tools <= talk.tools.keys():
            return player(talk)
    return generic.play(talk)

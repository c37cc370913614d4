"""How many tokens a request would have taken, from the length of its text."""

from __future__ import annotations

from dataclasses import dataclass

from agentops.rehearsal.conversation import AssistantSaid, Conversation, Turn

CHARS_PER_TOKEN = 4
# Providers cache prefixes of at least 1,024 tokens, in blocks of 128.
CACHE_LEAST, CACHE_BLOCK = 1024, 128
THOUGHT_PER_CALL = 64


@dataclass(frozen=True)
class Tokens:
    read: int
    cached: int
    written: int
    thought: int


def count(turn: Turn, talk: Conversation) -> Tokens:
    """Return the tokens of this exchange; what an earlier request held already counts as cached."""
    read = _tokens(talk.size)
    thought = THOUGHT_PER_CALL if turn.calls else 0
    said = len(turn.text or "") + len(turn.refusal or "")
    said += sum(len(call.name) + len(call.arguments) for call in turn.calls)
    return Tokens(
        read=read,
        cached=_cached(read - _tokens(_news(talk))) if talk.turns else 0,
        written=_tokens(said) + thought,
        thought=thought,
    )


def _news(talk: Conversation) -> int:
    """Return the characters from the assistant's last turn on: no earlier request held them."""
    chars = 0
    for piece in reversed(talk.pieces):
        chars += len(piece.text)
        if isinstance(piece, AssistantSaid):
            return chars + sum(len(call.arguments) for call in piece.calls)
    return chars


def _cached(tokens: int) -> int:
    return tokens // CACHE_BLOCK * CACHE_BLOCK if tokens >= CACHE_LEAST else 0


def _tokens(chars: int) -> int:
    return max(1, -(-chars // CHARS_PER_TOKEN))

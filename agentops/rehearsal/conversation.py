"""What the server hears and says, in one form for both APIs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

ASKED = "asked"
_NOT_EXECUTED = "not executed"
_NOT_DONE = frozenset({"failed", "rejected", "expired", "cancelled"})


class BadRequest(Exception):
    """The request breaks the API's rules; becomes a 400 with this message."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Asked:
    """A tool call found in the conversation, or one to make; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str

    @cached_property
    def values(self) -> dict[str, Any]:
        """The arguments, empty when they are not a JSON object."""
        found = first_json(self.arguments)
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class UserSaid:
    text: str


@dataclass(frozen=True)
class AssistantSaid:
    text: str
    calls: tuple[Asked, ...] = ()


@dataclass(frozen=True)
class Answered:
    call_id: str
    text: str


Piece = UserSaid | AssistantSaid | Answered


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one call: `status` succeeded, rejected, asked, failed, expired or cancelled.

    `output` is the tool's own JSON, `reason` the person's or the tool's words (of an asked one the
    question), `edited` the arguments a person put in place of ours.
    """

    call: Asked
    status: str
    output: Any = None
    reason: str = ""
    edited: dict[str, Any] | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that count: the edited ones where a person edited."""
        return self.edited or self.call.values


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """One request. `tools` maps a name to its JSON schema; `size` is the request in characters."""

    api: str
    llm: str
    instructions: str
    pieces: tuple[Piece, ...]
    tools: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    output_schema: dict[str, Any] | None = None
    max_output_tokens: int | None = None
    size: int = 0

    @cached_property
    def opening(self) -> str:
        return next((piece.text for piece in self.pieces if isinstance(piece, UserSaid)), "")

    @cached_property
    def input(self) -> dict[str, Any]:
        """The execution's input: the first JSON object in what the user said first."""
        found = first_json(self.opening[self.opening.find("{") :] if "{" in self.opening else "")
        return found if isinstance(found, dict) else {}

    @cached_property
    def turns(self) -> int:
        """How often the assistant has spoken."""
        return sum(isinstance(piece, AssistantSaid) for piece in self.pieces)

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every answered call, in the order asked."""
        answers = {
            piece.call_id: piece.text for piece in self.pieces if isinstance(piece, Answered)
        }
        return tuple(
            read_outcome(call, answers[call.id])
            for piece in self.pieces
            if isinstance(piece, AssistantSaid)
            for call in piece.calls
            if call.id in answers
        )

    def of(self, name: str) -> list[Outcome]:
        """Return what became of the calls of one tool, in order."""
        return [outcome for outcome in self.outcomes if outcome.call.name == name]

    def output(self, name: str) -> dict[str, Any] | None:
        """Return the latest successful output of a tool, None when there is none."""
        for outcome in reversed(self.of(name)):
            if outcome.status == "succeeded" and isinstance(outcome.output, dict):
                return outcome.output
        return None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What the LLM says next. `finish` length or content_filter cuts it off."""

    text: str | None = None
    calls: tuple[Asked, ...] = ()
    refusal: str | None = None
    finish: str | None = None


def read_outcome(call: Asked, text: str) -> Outcome:
    """Return what a tool message says about its call."""
    answer = first_json(text)
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(answer, dict):
        return Outcome(call=call, status="succeeded", output=answer)
    if status == _NOT_EXECUTED and isinstance(answer.get("question"), str):
        edited = answer.get("edited_by_person")
        return Outcome(
            call=call,
            status=ASKED,
            reason=answer["question"],
            edited=edited if isinstance(edited, dict) else None,
        )
    if isinstance(answer.get("edited_by_person"), dict):
        return Outcome(
            call=call,
            status="failed" if status in _NOT_DONE else "succeeded",
            output=answer.get("output"),
            reason=str(answer.get("error") or ""),
            edited=answer["edited_by_person"],
        )
    if status in _NOT_DONE and answer.keys() & {"note", "reason", "error"}:
        reason = answer.get("reason") or answer.get("error") or answer.get("note")
        return Outcome(call=call, status=status, reason=str(reason))
    return Outcome(call=call, status="succeeded", output=answer)


def first_json(text: str) -> Any:
    """Return the JSON value `text` begins with, None when it begins with none."""
    try:
        return json.JSONDecoder().raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        return None

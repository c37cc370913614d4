"""What the LLM is shown: the conversation as values, rebuilt from steps and tool calls.

The transcript is never stored as a whole. `build` makes it from what the journal wrote, so a
resumed execution sends exactly what an uninterrupted one would have sent (I11).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol


class Finish(StrEnum):
    """Why the LLM stopped writing."""

    STOP = "stop"
    TOOL_CALLS = "tool_calls"
    LENGTH = "length"
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, kw_only=True)
class RequestedCall:
    """A tool call as the LLM emitted it; `arguments` is its raw JSON text, unparsed.

    `id` is the provider's call id in a reply, and the execution-wide unique id once stored.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens one LLM request took; `estimated` when the provider did not say."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    total_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer of the LLM, whichever API it came over.

    `reasoning` holds the provider's opaque items that must be sent back unchanged.
    `request_digest` is the sha256 of the request body as it was sent.
    """

    text: str | None
    calls: tuple[RequestedCall, ...] = ()
    reasoning: tuple[dict[str, Any], ...] = ()
    finish: Finish = Finish.STOP
    refusal: str | None = None
    usage: Usage = field(default_factory=Usage)
    llm: str = ""
    request_digest: str = ""


@dataclass(frozen=True, kw_only=True)
class UserMessage:
    text: str


@dataclass(frozen=True, kw_only=True)
class AssistantMessage:
    text: str | None
    calls: tuple[RequestedCall, ...] = ()
    reasoning: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ToolAnswer:
    """The one answer to the call `call_id`."""

    call_id: str
    text: str


Item = UserMessage | AssistantMessage | ToolAnswer


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """One stored step: what the LLM said. `problem` is why the reply was unusable, if it was:
    the words that the LLM is told next."""

    number: int
    message: AssistantMessage
    finish: Finish = Finish.STOP
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class CallRecord:
    """One stored tool call with what became of it.

    `proposed` is what the LLM asked for, `arguments` what runs (they differ after an edit).
    `output` is the tool's own output, or for a call that people settled their words on it.
    """

    wire_id: str
    step_number: int
    tool_name: str
    status: str
    proposed: Any
    arguments: Any
    output: Any = None
    error: str | None = None

    @cached_property
    def identity(self) -> str:
        return identity(self.tool_name, self.proposed)

    @property
    def was_asked(self) -> bool:
        """Whether a person asked about it instead of deciding, and so invited it once more."""
        return bool(question(self.status, self.output))

    @cached_property
    def answer(self) -> str:
        """What the LLM is told of it, cut to size."""
        return _clipped(_answer(self))


def succeeded(calls: Sequence[CallRecord], tool_name: str) -> Iterator[Any]:
    """Yield the outputs of the tool's calls that succeeded, in order."""
    return (c.output for c in calls if c.tool_name == tool_name and c.status == "succeeded")


ANSWER_CHARS = 16_000  # what the LLM sees of one tool's output; the row keeps the whole


def build(
    opening: str, steps: Sequence[StepRecord], calls: Sequence[CallRecord], *, warn_at: int
) -> tuple[Item, ...]:
    """Return the conversation so far, each call answered exactly once, in emission order."""
    answers = {call.wire_id: call for call in calls}
    seen: dict[str, int] = {}
    items: list[Item] = [UserMessage(text=opening)]
    for step in steps:
        items.append(step.message)
        for requested in step.message.calls:
            call = answers[requested.id]
            key = call.identity
            seen[key] = seen.get(key, 0) + (not call.was_asked)
            items.append(ToolAnswer(call_id=requested.id, text=_told(call, seen[key], warn_at)))
        if step.problem:
            items.append(UserMessage(text=step.problem))
    return tuple(items)


class Requested(Protocol):
    """A requested call as far as counting repetitions goes."""

    @property
    def step_number(self) -> int: ...
    @property
    def identity(self) -> str: ...
    @property
    def was_asked(self) -> bool: ...


def identical(calls: Sequence[Requested]) -> int:
    """Return how often the most repeated call of the latest step was asked for in all.

    One that a person answered with a question is not counted: its repetition was invited.
    """
    if not calls:
        return 0
    latest = max(call.step_number for call in calls)
    keys = [call.identity for call in calls if not call.was_asked]
    return max(keys.count(call.identity) for call in calls if call.step_number == latest)


def identity(tool_name: str, proposed: Any) -> str:
    """Return what makes two requests the same: the tool and what the LLM asked of it."""
    return f"{tool_name} {dump(proposed)}"


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def dump(value: Any) -> str:
    """Return compact JSON with sorted keys: the same value always gives the same text."""
    return _ENCODER.encode(value)


def question(status: str, output: Any) -> str:
    """Return what a person asked about a call in place of a decision on it; empty for none."""
    asked = output.get("question") if status == "rejected" and isinstance(output, dict) else None
    return asked if isinstance(asked, str) else ""


def _told(call: CallRecord, times: int, warn_at: int) -> str:
    text = call.answer
    if times < warn_at:
        return text
    return (
        f"{text}\n\nNote: you have now made this same call {times} times. Its answer will not"
        " change; do something else or finish."
    )


def _answer(call: CallRecord) -> str:
    """Return what the LLM is told of one call (I10)."""
    edit = _edit(call)
    match call.status:
        case "succeeded" if not edit:
            return dump(call.output)
        case "succeeded":
            told: dict[str, Any] = {"status": "succeeded", "output": call.output}
        case "rejected" if call.was_asked:
            note = (
                "Not executed: a reviewer asks this before deciding. Answer it in words, and in the"
                " same reply propose the call again if it is still right, or a better one."
            )
            told = {"status": "not executed", **_words(call), "note": note}
        case "rejected":
            note = "Not executed. Take the reason into account; do not repeat this call unchanged."
            told = {"status": "rejected", **_words(call), "note": note}
        case "expired":
            told = {"status": "expired", "note": "Not executed: nobody decided in time."}
        case "cancelled":
            told = {"status": "cancelled", **_words(call), "note": "Not executed."}
        case _:
            told = {"status": "failed", "error": call.error or "no details"}
    return dump({**told, **edit})


def _edit(call: CallRecord) -> dict[str, Any]:
    """Return what the LLM is told of a person's edit of its arguments, if there was one."""
    if call.proposed == call.arguments:
        return {}
    note = "A person replaced these arguments with those in edited_by_person;"
    return {
        "edited_by_person": call.arguments,
        "edit_note": f"{note} do not repeat the original.",
    }


def _words(call: CallRecord) -> dict[str, Any]:
    return call.output if isinstance(call.output, dict) else {}


def _clipped(text: str) -> str:
    """Return head and tail of a long answer with a notice between them."""
    if len(text) <= ANSWER_CHARS:
        return text
    half = ANSWER_CHARS // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"

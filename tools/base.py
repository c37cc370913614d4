"""A tool: one typed function, what it may do to the world, and when a person must agree.

Pure: no Django, no clock, no I/O. `tools/schemas.py` has the JSON side. How to write a tool is told
in docs/write-a-tool.md.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, get_type_hints
from uuid import UUID

from pydantic import BaseModel, create_model

from tools.approval import (
    DAY_S,
    Approval,
    Late,
    ToolDefinitionError,
    always,
    never,
    when,
)
from tools.decisions import USUAL_REASONS, Confirmation, Listed
from tools.schemas import STRICT, BadArguments, read_arguments, strict_schema

# handed on, so that a tool's author imports from one place
__all__ = ["DAY_S", "Approval", "Late", "ToolDefinitionError", "always", "never", "when"]

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

Check = Callable[[Any], None]
Outside = tuple[str, ...] | Callable[[Any], tuple[str, ...]]


class Effect(StrEnum):
    """What a tool may do to the world, and so what follows when a crash hides its outcome."""

    READ = "read"  # changes nothing: runs again
    TRANSACTIONAL = "transactional"  # changes our database with its outcome, or not at all
    IDEMPOTENT = "idempotent"  # the other side honours our key: runs again with the same key
    ONCE = "once"  # cannot be repeated safely: a person settles it


class ToolError(Exception):
    """The tool says no and nothing happened. The message is for the LLM, and for people."""


class ToolInputError(ToolError):
    """The arguments are wrong; the message names each faulty one and why."""


class UnknownTool(ToolError):
    """No tool has that name; the message names the nearest ones."""


class ToolUnavailable(ToolError):
    """The other side is out of reach or out of order, and nothing happened. The only ToolError
    that counts as a failure of the tool: enough of them in a row open its circuit breaker."""


class OutcomeUnknown(Exception):
    """The effect may have happened. From a `once` tool the call is then in doubt; an `idempotent`
    one may be run again with the same key. The message says what is known."""


class KeyConflict(OutcomeUnknown):
    """The other side holds something else under our key. The call is not tried again: it is in
    doubt, and a person finds out what is there."""


@dataclass(frozen=True, kw_only=True)
class ToolContext:
    """What a tool may know of the call it serves.

    `deadline_s` is how many seconds this call may take. `target_version` is the version of the
    target that people approved (None when nobody had to), for a last comparison under a lock.
    """

    execution_id: UUID
    call_id: UUID
    idempotency_key: str
    agent_type: str
    user_id: UUID
    deadline_s: float
    target_version: str | None = None


@dataclass(frozen=True)
class Target:
    """The one record a call changes or relies on, and the version it has now: where more than the
    record matters, `+` and a digest of that follow the record's own version."""

    kind: str
    id: str
    version: str
    label: str


Risk = Literal["low", "medium", "high"]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool as the engine, the gate and the review desk see it. Made by `@tool`.

    Callables take the parsed arguments. `check`, `target`, `customer` and `preview` read the
    database: `check` and `target` raise ToolError for a call that cannot succeed, so that no person
    is asked about it; `target` is None when no version matters; `customer` is the id of the one the
    call is about, by which reviewers find it. `headline` (a sentence from the exact arguments),
    `consequence`, `verb`, `risk`, `template` and `preview` (plain data for that template, never the
    LLM's words about itself) are what a reviewer sees, and `listed` what a row in their list is
    looked at for; `must_read` names the arguments whose long values have to be opened before an
    approval (None: every one), `confirm` what the last look before it repeats, `reasons` what a
    rejection offers to say, and `outcome(arguments, output)` one sentence on what a call that
    succeeded did. Raise `version` when what it does changes so that people should look again at
    what they approved and did not start.
    `outside` names the keys of its answer under which somebody outside the house wrote (at any
    depth; or a function of the answer that does): reviewers see what comes from there.
    `risk` is one for all calls, or a function of the arguments.
    `key_window_s`: how long the other side of an `idempotent` tool remembers a key (None: ever).
    """

    name: str
    description: str
    effect: Effect
    arguments: type[BaseModel]
    function: Callable[..., Any]
    approval: Approval
    version: int = 1
    timeout_ms: int | None = None
    key_window_s: int | None = None
    is_async: bool = False
    wants_context: bool = False
    check: Check | None = None
    target: Callable[[Any], Target | None] | None = None
    customer: Callable[[Any], str | None] | None = None
    headline: Callable[[Any], str] | None = None
    consequence: str = ""
    verb: str = ""
    risk: Risk | Callable[[Any], Risk] = "low"
    template: str | None = None
    preview: Callable[[Any], dict[str, Any]] | None = None
    must_read: tuple[str, ...] | None = None
    confirm: Callable[[Any], Confirmation] | None = None
    reasons: tuple[str, ...] = USUAL_REASONS
    outcome: Callable[[Any, Any], str] | None = None
    outside: Outside = ()
    listed: Listed = field(default_factory=Listed)

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the arguments, fit for an LLM API's strict mode."""
        return strict_schema(self._raw_schema)

    @cached_property
    def fingerprint(self) -> str:
        """What an approval is tied to beside the arguments: another one means ask again."""
        parts = [self.name, self.version, self.effect.value, self._raw_schema]
        told = json.dumps(parts, sort_keys=True)
        return f"{self.version}:{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    def parse(self, arguments: Any) -> BaseModel:
        """Return `arguments` (the LLM's JSON object) checked, or raise ToolInputError."""
        try:
            return read_arguments(self.arguments, self._raw_schema, arguments)
        except BadArguments as error:
            raise ToolInputError(f"Arguments of {self.name} not accepted: {error}") from None

    def look(self, parsed: BaseModel) -> Target | None:
        """Run the tool's check and return its target as it is now. Raises ToolError."""
        if self.check is not None:
            self.check(parsed)
        return self.target(parsed) if self.target is not None else None

    def customer_of(self, parsed: BaseModel) -> str | None:
        """Return whom the call is about; None as well when the tool's own code fails over it,
        because nothing is decided by it."""
        try:
            return self.customer(parsed) if self.customer is not None else None
        except Exception:
            return None

    def outside_of(self, answer: Any) -> tuple[str, ...] | None:
        """Return the keys of an answer under which somebody outside wrote; None, which means all of
        it, when the tool's own code fails over it."""
        try:
            return self.outside(answer) if callable(self.outside) else self.outside
        except Exception:
            return None

    def risk_of(self, arguments: Any) -> Risk:
        """Return the risk of a call with these arguments (JSON); the highest if the tool's own code
        fails over them."""
        if not callable(self.risk):
            return self.risk
        try:
            return self.risk(self.parse(arguments))
        except Exception:
            return "high"

    def call(self, parsed: BaseModel, context: ToolContext) -> Any:
        """Run the tool; returns its output, or a coroutine when `is_async`."""
        values = {name: getattr(parsed, name) for name in type(parsed).model_fields}
        if self.wants_context:
            values["context"] = context
        return self.function(**values)

    @cached_property
    def _raw_schema(self) -> dict[str, Any]:
        return self.arguments.model_json_schema()


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    effect: Effect | None = None,
    approval: Approval | None = None,
    **declared: Any,
) -> Callable[[Callable[..., Any]], Tool]:
    """Make a Tool of a function whose keyword-only, annotated parameters are its arguments.

    Without `approval` a `read` needs nobody and everything else always needs a person.
    `declared` are further fields of Tool. Raises ToolDefinitionError when it is imported.
    """
    if function is not None or effect is None:
        name = getattr(function, "__name__", "a tool")
        raise ToolDefinitionError(f"{name}: declare what it may do, like @tool(effect=Effect.READ)")
    chosen = approval or (never() if effect is Effect.READ else always())

    def decorate(written: Callable[..., Any]) -> Tool:
        return _make(written, effect=effect, approval=chosen, declared=declared)

    return decorate


def _make(
    function: Callable[..., Any], *, effect: Effect, approval: Approval, declared: dict[str, Any]
) -> Tool:
    name = function.__name__
    described = inspect.getdoc(function)
    if not NAME.fullmatch(name):
        raise ToolDefinitionError(f"{name}: a tool's name is lower_snake_case, at most 63 long")
    if not described:
        raise ToolDefinitionError(f"{name}: write a docstring; it is what the LLM reads")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ToolDefinitionError(f"{name}: nothing of a generator would run; return the values")
    if declared.get("key_window_s") and effect is not Effect.IDEMPOTENT:
        raise ToolDefinitionError(f"{name}: only an idempotent tool's key has a window")
    is_async = inspect.iscoroutinefunction(function)
    if is_async and effect is Effect.TRANSACTIONAL:
        raise ToolDefinitionError(f"{name}: a transactional tool shares a connection; no async def")
    arguments = _arguments(function)
    if unknown := set(declared.get("must_read") or ()) - arguments.model_fields.keys():
        raise ToolDefinitionError(f"{name}: must_read names no argument: {', '.join(unknown)}")
    if isinstance(declared.get("outside"), str):
        raise ToolDefinitionError(f"{name}: outside is a tuple of keys, like ('body',)")
    settings: dict[str, Any] = {
        "verb": name.replace("_", " ").capitalize(),
        "risk": "low" if effect is Effect.READ else "medium",
        **declared,
    }
    return Tool(
        name=name,
        description=described,
        effect=effect,
        arguments=arguments,
        function=function,
        approval=approval,
        is_async=is_async,
        wants_context="context" in inspect.signature(function).parameters,
        **settings,
    )


def _arguments(function: Callable[..., Any]) -> type[BaseModel]:
    """Return a model of the function's parameters, `context` apart."""
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "context":
            continue
        if parameter.kind is not parameter.KEYWORD_ONLY or name not in hints:
            raise ToolDefinitionError(
                f"{function.__name__}: make `{name}` keyword-only and annotate it"
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[name] = (hints[name], default)
    model: type[BaseModel] = create_model(function.__name__, __config__=STRICT, **fields)
    strict_schema(model.model_json_schema())
    return model

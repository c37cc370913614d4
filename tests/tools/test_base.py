from __future__ import annotations

import asyncio
from dataclasses import FrozenInstanceError
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from tests.tools.calling import a_context
from tools.base import (
    Approval,
    Effect,
    KeyConflict,
    Late,
    OutcomeUnknown,
    Tool,
    ToolContext,
    ToolDefinitionError,
    ToolError,
    ToolInputError,
    ToolUnavailable,
    UnknownTool,
    always,
    never,
    tool,
    when,
)


@tool(effect=Effect.READ)
def weigh(
    *, grams: Annotated[int, Field(ge=1)], unit: Literal["g", "kg"] = "g", context: ToolContext
) -> dict[str, Any]:
    """Weigh something."""
    return {"said": f"{grams} {unit}", "key": context.idempotency_key}


def test_a_tool_takes_name_description_and_arguments_from_its_function() -> None:
    assert (weigh.name, weigh.description) == ("weigh", "Weigh something.")
    assert list(weigh.arguments.model_fields) == ["grams", "unit"]


def test_a_tool_is_called_with_its_arguments_and_its_context() -> None:
    parsed = weigh.parse({"grams": 5})
    assert weigh.call(parsed, a_context(idempotency_key="k")) == {"said": "5 g", "key": "k"}


def test_a_tool_that_wants_no_context_gets_none() -> None:
    @tool(effect=Effect.READ)
    def echo(*, text: str) -> str:
        """Say it again."""
        return text

    assert echo.call(echo.parse({"text": "hm"}), a_context()) == "hm"


def test_an_async_tool_returns_a_coroutine() -> None:
    @tool(effect=Effect.READ)
    async def later(*, text: str) -> str:
        """Say it later."""
        return text

    assert later.is_async
    assert asyncio.run(later.call(later.parse({"text": "hm"}), a_context())) == "hm"


def test_a_tool_cannot_be_changed_once_made() -> None:
    with pytest.raises(FrozenInstanceError):
        weigh.approval = never()  # type: ignore[misc]


def test_a_tool_without_an_effect_does_not_import() -> None:
    with pytest.raises(ToolDefinitionError, match="declare what it may do"):

        @tool()
        def mystery(*, text: str) -> None:
            """Do something."""


def test_a_bare_decorator_does_not_import_either() -> None:
    def mystery(*, text: str) -> None:
        """Do something."""

    with pytest.raises(ToolDefinitionError, match="mystery: declare what it may do"):
        tool(mystery)


def test_a_tool_without_a_docstring_does_not_import() -> None:
    def silent(*, text: str) -> None: ...

    with pytest.raises(ToolDefinitionError, match="docstring"):
        tool(effect=Effect.READ)(silent)


def test_positional_and_unannotated_parameters_do_not_import() -> None:
    def positional(text: str) -> None:
        """Do something."""

    def bare(*, text) -> None:  # type: ignore[no-untyped-def]
        """Do something."""

    for wrong in (positional, bare):
        with pytest.raises(ToolDefinitionError, match="keyword-only and annotate"):
            tool(effect=Effect.READ)(wrong)


def test_a_transactional_tool_cannot_be_async() -> None:
    async def later(*, text: str) -> None:
        """Do something."""

    with pytest.raises(ToolDefinitionError, match="no async def"):
        tool(effect=Effect.TRANSACTIONAL)(later)


def test_a_generator_is_no_tool() -> None:
    """T3: calling it would run nothing of it, and look like success."""

    def drip(*, text: str) -> Any:
        """Say it bit by bit."""
        yield text

    async def drip_later(*, text: str) -> Any:
        """Say it bit by bit."""
        yield text

    for lazy in (drip, drip_later):
        with pytest.raises(ToolDefinitionError, match="nothing of a generator would run"):
            tool(effect=Effect.READ)(lazy)


def test_only_an_idempotent_tool_has_a_key_window() -> None:
    def act(*, text: str) -> None:
        """Do something."""

    assert tool(effect=Effect.IDEMPOTENT, key_window_s=60)(act).key_window_s == 60
    with pytest.raises(ToolDefinitionError, match="key has a window"):
        tool(effect=Effect.ONCE, key_window_s=60)(act)


def test_a_tool_says_what_of_its_answer_an_outsider_wrote() -> None:
    def act(*, text: str) -> None:
        """Do something."""

    def told(declared: Any, answer: Any = None) -> tuple[str, ...] | None:
        return tool(effect=Effect.READ, outside=declared)(act).outside_of(answer)

    assert told(()) == ()
    assert told(("body",)) == ("body",)
    assert told(lambda answer: (answer["by"],), {"by": "from"}) == ("from",)
    assert told(lambda answer: (answer["by"],), "no object") is None
    with pytest.raises(ToolDefinitionError, match="tuple of keys"):
        told("body")


def test_a_read_runs_by_itself_and_everything_else_needs_a_person_unless_said_otherwise() -> None:
    def act(*, text: str) -> None:
        """Do something."""

    modes = {effect: tool(effect=effect)(act).approval.mode for effect in Effect}
    assert modes == {
        Effect.READ: "never",
        Effect.TRANSACTIONAL: "always",
        Effect.IDEMPOTENT: "always",
        Effect.ONCE: "always",
    }
    assert tool(effect=Effect.ONCE, approval=never())(act).approval.mode == "never"


def test_an_approval_that_makes_no_sense_is_refused() -> None:
    for wrong in (
        {"mode": "when"},
        {"mode": "always", "when": lambda arguments: None},
        {"mode": "always", "votes": 0},
        {"mode": "always", "expires_after_s": 0},
        {"mode": "always", "undo_s": -1},
    ):
        with pytest.raises(ToolDefinitionError):
            Approval(**wrong)  # type: ignore[arg-type]
    for late in ({"remind_at": (50, 100)}, {"remind_at": (0,)}, {"sla_s": 0}):
        with pytest.raises(ToolDefinitionError):
            Late(**late)  # type: ignore[arg-type]


def test_an_approval_can_depend_on_the_arguments() -> None:
    def transfer(*, euro: int) -> None:
        """Move money."""

    asked = tool(
        effect=Effect.ONCE,
        approval=when(lambda a: "more than 100" if a.euro > 100 else None, votes=2),
    )(transfer)
    assert asked.approval.when is not None
    assert asked.approval.votes == 2
    assert asked.approval.when(asked.parse({"euro": 101})) == "more than 100"
    assert asked.approval.when(asked.parse({"euro": 100})) is None


def test_always_says_how_many_why_and_how_long_it_can_be_undone() -> None:
    asked = always(votes=2, reason="because", undo_s=30)
    assert (asked.mode, asked.votes, asked.reason, asked.undo_s) == ("always", 2, "because", 30)


def test_every_refusal_of_a_tool_is_a_tool_error() -> None:
    assert issubclass(ToolInputError, ToolError)
    assert issubclass(UnknownTool, ToolError)
    assert issubclass(ToolUnavailable, ToolError)
    assert issubclass(KeyConflict, OutcomeUnknown)


def test_the_risk_of_a_call_may_depend_on_its_arguments() -> None:
    @tool(effect=Effect.ONCE, risk=lambda given: "low" if 1000 / given.euro > 10 else "medium")
    def pay(*, euro: int) -> None:
        """Pay."""

    asked = [{"euro": 99}, {"euro": 100}, {"euro": 0}, {"euro": "many"}]
    assert [pay.risk_of(one) for one in asked] == ["low", "medium", "high", "high"]
    assert weigh.risk_of({"grams": "no number"}) == "low"


def test_what_reviewers_see_has_usable_defaults() -> None:
    def wipe_the_board(*, text: str) -> None:
        """Wipe it."""

    made: Tool = tool(effect=Effect.ONCE)(wipe_the_board)
    assert (made.verb, made.risk) == ("Wipe the board", "medium")
    assert weigh.risk == "low"

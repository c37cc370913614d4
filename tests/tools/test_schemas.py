from __future__ import annotations

import datetime
import json
import math
from contextlib import suppress
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, Field

from tools.base import Effect, ToolInputError, tool
from tools.registry import TOOLS
from tools.schemas import MAX_BYTES, Arguments


class Leg(Arguments):
    to: str
    by: Literal["sea", "rail"] = "sea"
    on: datetime.date | None = None


def _odd(number: int) -> int:
    if number % 2 == 0:
        raise ValueError("must be odd")
    return number


@tool(effect=Effect.READ)
def ship(
    *,
    legs: Annotated[list[Leg], Field(min_length=1)],
    boxes: Annotated[int, Field(ge=1, description="how many"), AfterValidator(_odd)] = 1,
    note: Annotated[str, Field(min_length=2, max_length=20)] = "none",
    weight: float = 1.5,
) -> dict[str, Any]:
    """Ship boxes."""
    return {}


def _refusal(arguments: Any) -> str:
    with pytest.raises(ToolInputError) as caught:
        ship.parse(arguments)
    return str(caught.value)


def _objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for item in schema for found in _objects(item)]
    if not isinstance(schema, dict):
        return []
    here = [schema] if "properties" in schema else []
    return here + [found for value in schema.values() for found in _objects(value)]


@pytest.mark.parametrize("name", [*TOOLS, "ship"])
def test_every_schema_is_fit_for_strict_mode(name: str) -> None:
    schema = (ship if name == "ship" else TOOLS[name]).schema()
    text = json.dumps(schema)
    for refused in ("$ref", "$defs", '"default"', '"title": "', "maxLength", "minLength"):
        assert refused not in text.replace('"title": {', "")
    for found in _objects(schema):
        assert found["additionalProperties"] is False
        assert found["required"] == list(found["properties"])


def test_an_optional_key_may_be_null_and_the_schema_says_what_that_means() -> None:
    boxes = ship.schema()["properties"]["boxes"]
    assert {"type": "null"} in boxes["anyOf"]
    assert boxes["description"] == "how many. null means 1"


def test_string_lengths_are_told_in_words() -> None:
    assert "2 to 20 characters" in json.dumps(ship.schema()["properties"]["note"])


def test_a_null_for_an_optional_key_counts_as_left_out_at_any_depth() -> None:
    parsed: Any = ship.parse(
        {"legs": [{"to": "Oslo", "by": None, "on": None}], "boxes": None, "weight": None}
    )
    assert (parsed.boxes, parsed.weight, parsed.legs[0].by) == (1, 1.5, "sea")


def test_dates_are_read_from_iso_text() -> None:
    parsed: Any = ship.parse({"legs": [{"to": "Oslo", "on": "2026-11-22"}]})
    assert parsed.legs[0].on == datetime.date(2026, 11, 22)


def test_a_refusal_names_every_faulty_key_and_why() -> None:
    said = _refusal({"legs": [{"by": "air"}], "boxes": 2, "note": "x", "wieght": 3})
    assert said.startswith("Arguments of ship not accepted: ")
    for part in (
        "legs.0.to is missing",
        "legs.0.by: input should be 'sea' or 'rail', got 'air'",
        "boxes: must be odd",
        "note: string should have at least 2 characters, got 'x'",
        "wieght is no argument (did you mean weight?)",
    ):
        assert part in said


def test_a_refusal_with_very_many_faults_stays_short() -> None:
    said = _refusal({"legs": [{"to": 1}] * 200})
    assert said.endswith("and 192 more")
    assert len(said) < 1000


def test_nothing_is_coerced() -> None:
    for boxes in ("3", 3.0, True):
        assert "boxes" in _refusal({"legs": [{"to": "Oslo"}], "boxes": boxes})


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf, 1e400])
def test_numbers_that_json_does_not_know_are_refused(weight: float) -> None:
    assert "weight" in _refusal({"legs": [{"to": "Oslo"}], "weight": weight})


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "a\\\x00"])
def test_text_that_cannot_be_stored_is_refused(text: str) -> None:
    _refusal({"legs": [{"to": text}]})


def test_a_backslash_before_u0000_is_only_text() -> None:
    parsed: Any = ship.parse({"legs": [{"to": r"C:\u0000"}]})
    assert parsed.legs[0].to == r"C:\u0000"


@pytest.mark.parametrize("arguments", [None, [], "{}", 5, True])
def test_anything_but_an_object_is_refused(arguments: Any) -> None:
    assert _refusal(arguments).endswith("they must be one JSON object")


def test_arguments_too_large_to_judge_are_refused() -> None:
    assert f"{MAX_BYTES:,}" in _refusal({"legs": [{"to": "x" * MAX_BYTES}]})


def test_arguments_nested_too_deep_are_refused() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    _refusal({"legs": deep})


def test_arguments_that_contain_themselves_do_not_import() -> None:
    with pytest.raises(TypeError, match="may not contain themselves"):

        @tool(effect=Effect.READ)
        def grow(*, root: Tree) -> None:
            """Grow."""


class Tree(Arguments):
    branches: list[Tree] = []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["legs", "boxes", "note", "weight", "to", "x"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, JSON | st.lists(st.dictionaries(KEYS, JSON, max_size=3)), max_size=4))
def test_whatever_an_llm_sends_is_either_read_or_refused_in_words(arguments: Any) -> None:
    with suppress(ToolInputError):
        ship.parse(arguments)

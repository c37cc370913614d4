"""A stored schema judges an answer as the model it was made from did."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from executions.core.shape import faults


class Grade(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Part(BaseModel):
    name: str = Field(min_length=2, max_length=8, pattern="^[a-z]+$")
    weight: float | None = None


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    title: str
    grade: Grade
    kind: Literal["a"]
    count: int = Field(ge=1, lt=10)
    parts: list[Part] = Field(min_length=1, max_length=2)
    notes: dict[str, int] = {}
    done: bool = False


SCHEMA = Whole.model_json_schema()
GOOD: dict[str, Any] = {
    "title": "T", "grade": "good", "kind": "a", "count": 3,
    "parts": [{"name": "leg", "weight": 1.5}],
}  # fmt: skip
ANSWERS: list[Any] = [
    GOOD,
    {**GOOD, "notes": {"x": 1}, "done": True},
    {**GOOD, "parts": [{"name": "leg"}, {"name": "arm", "weight": None}]},
    {**GOOD, "title": 3},
    {**GOOD, "title": None},
    {**GOOD, "grade": "fair"},
    {**GOOD, "kind": "b"},
    {**GOOD, "count": 0},
    {**GOOD, "count": 10},
    {**GOOD, "count": True},
    {**GOOD, "count": 2.5},
    {**GOOD, "parts": []},
    {**GOOD, "parts": [{"name": "leg"}] * 3},
    {**GOOD, "parts": [{"name": "x"}]},
    {**GOOD, "parts": [{"name": "LEG"}]},
    {**GOOD, "parts": [{"weight": 1}]},
    {**GOOD, "parts": [{"name": "leg", "weight": "heavy"}]},
    {**GOOD, "notes": {"x": "one"}},
    {**GOOD, "done": 1},
    {**GOOD, "more": 1},
    {key: value for key, value in GOOD.items() if key != "title"},
    [GOOD],
    "good",
]


def fits_the_model(answer: Any) -> bool:
    try:
        Whole.model_validate_json(json.dumps(answer))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("answer", ANSWERS)
def test_it_agrees_with_the_model(answer: Any) -> None:
    assert (not faults(SCHEMA, answer)) == fits_the_model(answer)


def test_it_names_the_place_and_what_was_wanted() -> None:
    answer = {**GOOD, "count": 10, "parts": [{"name": "x"}]}

    assert faults(SCHEMA, answer) == [
        "count: must be under 10",
        "parts.0.name: is too short",
    ]


def test_a_keyword_it_does_not_know_asks_for_nothing() -> None:
    assert faults({"type": "string", "format": "email"}, "nobody") == []

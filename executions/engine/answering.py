"""The final answer: does it have the shape of the definition it was launched with, as a result?"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from executions.agents import UnknownAgent, get_agent
from executions.core import shape, storable
from executions.engine.driven import Driven


def output_of(one: Driven, text: str) -> Any:
    """Return the final answer as the result that is stored."""
    if _schema(one) is None:
        return {"text": text}
    if model := _model(one):
        return storable.value(model.model_validate_json(text).model_dump(mode="json"))
    return storable.value(storable.parse(text))


def unfit(one: Driven, text: str) -> str | None:
    """Return what is wrong with a final text, in words for the LLM."""
    schema = _schema(one)
    if schema is None:
        return None
    faults = "; ".join(_faults(one, schema, text)[:5])
    if not faults:
        return _unborne(one, text)
    wanted = json.dumps(schema.get("properties", {}))[:2000]
    return storable.text(
        f"Your final answer must be one JSON object of the agreed shape. {faults}."
        f" The properties are {wanted}"
    )


def _faults(one: Driven, schema: dict[str, Any], text: str) -> list[str]:
    model = _model(one)
    try:
        if model is None:
            return shape.faults(schema, storable.parse(text))
        model.model_validate_json(text)
    except ValidationError as error:
        return [
            f"{'.'.join(str(p) for p in fault['loc']) or 'the answer'}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        ]
    except ValueError as error:
        return [f"the answer: {error}"]
    return []


def _unborne(one: Driven, text: str) -> str | None:
    """Return what the answer claims that the calls do not bear out, if its agent can tell."""
    model = _model(one)
    if model is None:
        return None
    check = get_agent(one.agent_type).check_answer
    calls = [call.record() for call in one.calls]
    claim = check(model.model_validate_json(text), calls) if check else None
    return None if claim is None else storable.text(claim, limit=2000)


def _schema(one: Driven) -> dict[str, Any] | None:
    return one.definition.output_schema if one.definition else None


def _model(one: Driven) -> type[BaseModel] | None:
    """Return the agent's own model while it still is what the definition says."""
    try:
        model = get_agent(one.agent_type).output_model
    except UnknownAgent:
        return None
    return model if model and _schema_of(model) == _schema(one) else None


@cache
def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()

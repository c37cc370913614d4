"""What an agent wants as input, in words."""

from __future__ import annotations

from typing import Any

from executions.agents import Agent


def input_fields(agent: Agent) -> list[dict[str, Any]]:
    """Return one {"name", "type", "required", "description"} for each field of its input."""
    schema = agent.input_model.model_json_schema()
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            "type": _type(field),
            "required": name in required,
            "description": field.get("description", ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def expected(agent: Agent) -> str:
    """Return a sentence on the input that `agent` takes."""
    fields = input_fields(agent)
    if not fields:
        return "Expected: {}."
    return f"Expected: {', '.join(map(_words, fields))}."


def _words(field: dict[str, Any]) -> str:
    about = [field["type"], field["description"], "" if field["required"] else "may be left out"]
    return f"{field['name']} ({', '.join(part for part in about if part)})"


def _type(field: dict[str, Any]) -> str:
    """Return a word or a few for a field's JSON schema."""
    if "enum" in field:
        return " | ".join(str(value) for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("type") or field.get("$ref", "any").rpartition("/")[2])

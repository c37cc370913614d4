"""Arguments as JSON: a schema an LLM can be held to, and strict reading with readable refusals.

Pure, like tools/base.py. Nothing is coerced: what a reviewer saw is what the tool gets.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
MAX_BYTES = 65_536  # larger arguments cannot be judged by a person
MAX_FAULTS = 8
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # the escape, not a backslash followed by "u0000"


class BadArguments(ValueError):
    """The arguments do not fit; the message has one clause per faulty field."""


class Arguments(BaseModel):
    """Base of nested argument models: no unknown keys, no coercion, no NaN."""

    model_config = STRICT


def strict_schema(raw: dict[str, Any]) -> dict[str, Any]:
    """Return pydantic's schema as strict modes want it: no references, no unknown keys, every
    key required; an optional one may be null instead."""
    made: dict[str, Any] = _strict(raw, raw.get("$defs", {}), ())
    return made


def read_arguments(model: type[BaseModel], raw: dict[str, Any], arguments: Any) -> BaseModel:
    """Return `arguments` as `model`; a null for an optional key counts as left out.

    Raises BadArguments for anything else than a JSON object that fits, of at most 64 KB.
    """
    if not isinstance(arguments, dict):
        raise BadArguments("they must be one JSON object")
    pruned = _without_nulls(arguments, raw, raw.get("$defs", {}))
    try:
        text = json.dumps(pruned, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise BadArguments("they are not storable JSON text") from None
    if len(text) > MAX_BYTES:
        raise BadArguments(f"they take {len(text):,} bytes; at most {MAX_BYTES:,} are allowed")
    if NUL.search(text):
        raise BadArguments("they contain a NUL character")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise BadArguments(_sentence(error, list(model.model_fields))) from None


def _strict(node: Any, definitions: dict[str, Any], path: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_strict(item, definitions, path) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if name in path:
            raise TypeError(f"arguments may not contain themselves ({name})")
        return _strict({**definitions[name], **_besides_ref(node)}, definitions, (*path, name))
    made = {
        key: _strict(value, definitions, path)
        for key, value in _in_words(node).items()
        if key not in ("$defs", "default", "title", "properties")
    }
    if "properties" in node:
        made |= _strict_object(node, definitions, path)
    return made


def _besides_ref(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != "$ref"}


def _strict_object(
    node: dict[str, Any], definitions: dict[str, Any], path: tuple[str, ...]
) -> dict[str, Any]:
    required = node.get("required", [])
    properties = {}
    for name, value in node["properties"].items():
        inner = _strict(value, definitions, path)
        properties[name] = inner if name in required else _nullable(inner, value)
    return {"properties": properties, "required": list(properties), "additionalProperties": False}


def _nullable(schema: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """Return `schema` or null; the description says what null stands for."""
    default = raw.get("default")
    meaning = f"null means {json.dumps(default, ensure_ascii=False)}" if default else ""
    words = ". ".join(part for part in (schema.get("description", ""), meaning) if part)
    inner = {key: value for key, value in schema.items() if key != "description"}
    options = inner.get("anyOf", [inner])
    if {"type": "null"} not in options:
        options = [*options, {"type": "null"}]
    return {"anyOf": options, **({"description": words} if words else {})}


def _in_words(node: dict[str, Any]) -> dict[str, Any]:
    """Return the node with string lengths said in its description: strict modes refuse them."""
    low, high = node.get("minLength"), node.get("maxLength")
    if node.get("type") != "string" or (low is None and high is None):
        return node
    if low is None:
        said = f"at most {high} characters"
    else:
        said = f"{low} to {high} characters" if high else f"at least {low} characters"
    rest = {key: value for key, value in node.items() if key not in ("minLength", "maxLength")}
    return {**rest, "description": f"{node.get('description', '')} ({said})".strip()}


def _without_nulls(value: Any, schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """Return `value` without the nulls that stand for "left out"."""
    if "$ref" in schema:
        return _without_nulls(value, definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for option in schema.get("anyOf", ()):
        value = _without_nulls(value, option, definitions)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_without_nulls(item, schema["items"], definitions) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    required, known = schema.get("required", ()), schema["properties"]
    return {
        key: _without_nulls(item, known.get(key, {}), definitions)
        for key, item in value.items()
        if item is not None or key in required or key not in known
    }


def _sentence(error: ValidationError, names: list[str]) -> str:
    faults = error.errors(include_url=False)
    clauses = [_clause(fault, names) for fault in faults[:MAX_FAULTS]]
    if len(faults) > MAX_FAULTS:
        clauses.append(f"and {len(faults) - MAX_FAULTS} more")
    return "; ".join(clauses)


def _clause(fault: Any, names: list[str]) -> str:
    """Return one fault as `place: what is wrong`, with the value when it is short."""
    place = ".".join(str(part) for part in fault["loc"]) or "the whole"
    if fault["type"] == "missing":
        return f"{place} is missing"
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place, names, n=1)
        return f"{place} is no argument" + (f" (did you mean {near[0]}?)" if near else "")
    message = fault["msg"].removeprefix("Value error, ")
    given = repr(fault["input"])
    shown = f", got {given}" if len(given) <= 60 and fault["type"] != "value_error" else ""
    return f"{place}: {message[:1].lower()}{message[1:300]}{shown}"

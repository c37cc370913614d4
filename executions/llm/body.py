"""JSON bodies: how a request is written, digested and bounded, and how an answer is parsed."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, NoReturn

EXCERPT_BYTES = 1_600
_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_STRICT_KEYS = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"}
    | {"description", "title", "pattern", "format", "minimum", "maximum", "exclusiveMinimum"}
    | {"exclusiveMaximum", "multipleOf", "minItems", "maxItems", "$defs", "$ref"}
)
_NARROWING = frozenset({"minLength", "maxLength", "default", "examples", "uniqueItems"})


def encode(body: dict[str, Any]) -> bytes:
    """Return `body` as compact UTF-8 JSON in its own key order; raises ValueError on NaN.

    The order is kept because an LLM fills arguments in the order of the schema it is shown.
    """
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A lone surrogate has no UTF-8 form and would end the request; "?" stands in for it.
    return text.encode("utf-8", "replace")


def digest(body: dict[str, Any]) -> str:
    """Return the sha256, in hex, of the canonical JSON of `body` (key order does not matter)."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def parse(raw: bytes) -> Any:
    """Return the JSON value of `raw`. Raises ValueError for anything that is not strict JSON."""
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def excerpt(value: Any) -> str:
    """Return the beginning of an answer as printable text, at most `EXCERPT_BYTES` in UTF-8."""
    if isinstance(value, bytes):
        raw = value
    else:
        text = value if isinstance(value, str) else _dumped(value)
        raw = text[:EXCERPT_BYTES].encode("utf-8", "replace")
    begin = raw[:EXCERPT_BYTES].decode("utf-8", "ignore")
    return "".join(char if char.isprintable() else " " for char in begin).strip()


def sendable_name(name: str) -> str:
    """Return a tool name an API accepts back, also where the LLM had invented an impossible one."""
    return _NAME.sub("_", name)[:64] or "unnamed"


def sendable_arguments(arguments: str) -> str:
    """Return arguments that servers which parse the conversation accept back.

    Several of them answer 400 for a conversation that holds arguments that are not a JSON object.
    """
    try:
        if isinstance(parse(arguments.encode("utf-8", "replace")), dict):
            return arguments
    except ValueError:
        pass
    return json.dumps({"not_valid_json": arguments})


def strict_schema(schema: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the schema to send, and whether as strict.

    Words that strict mode refuses and that only narrow a value (a length, a default) are left out
    if that makes the rest strict: whoever gets the answer checks it against the whole schema.
    """
    if is_strict(schema):
        return schema, True
    wider = _wider(schema)
    return (wider, True) if is_strict(wider) else (schema, False)


def is_strict(schema: Any) -> bool:
    """Whether strict mode takes `schema`: closed objects, every key required, known words only."""
    if not isinstance(schema, dict):
        return False
    if not schema.keys() <= _STRICT_KEYS or ("$ref" in schema and len(schema) > 1):
        return False
    if schema.get("type") == "object" and not _is_closed(schema):
        return False
    return all(is_strict(part) for part in _parts(schema))


def _wider(schema: Any) -> Any:
    """Return `schema` without narrowing words; a length is said in the description instead."""
    if isinstance(schema, list):
        return [_wider(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        key: {name: _wider(part) for name, part in value.items()}
        if key in ("properties", "$defs") and isinstance(value, dict)
        else _wider(value)
        for key, value in schema.items()
        if key not in _NARROWING
    }
    if isinstance(schema.get("maxLength"), int):
        limit = f"At most {schema['maxLength']} characters."
        made["description"] = f"{schema.get('description', '')} {limit}".strip()
    return made


def _is_closed(schema: dict[str, Any]) -> bool:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    return schema.get("additionalProperties") is False and set(required) == set(properties)


def _parts(schema: dict[str, Any]) -> list[Any]:
    parts = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    parts += schema.get("anyOf", [])
    return parts + ([schema["items"]] if "items" in schema else [])


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")

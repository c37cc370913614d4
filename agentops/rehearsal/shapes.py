"""Values that fit a JSON schema: what a real LLM under a schema would be held to."""

from __future__ import annotations

import json
from typing import Any

from agentops.rehearsal.conversation import Conversation

MOST_CHARS = 1_900
_EMPTY: dict[str, Any] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "array": [],
    "object": {},
    "null": None,
}


def final_text(talk: Conversation, said: str, **values: Any) -> str:
    """Return a final answer: `said`, or JSON of the wanted shape with `values` and `said` in it."""
    schema = talk.output_schema
    said = said if len(said) <= MOST_CHARS else said[: MOST_CHARS - 1] + "…"
    if schema is None:
        return said
    known = {**_words(schema, said), **values}
    return json.dumps(fitted(schema, known), ensure_ascii=False)


def fitted(schema: dict[str, Any], value: Any, root: dict[str, Any] | None = None) -> Any:
    """Return `value` with every required key present (null where it may be) and no unknown one."""
    root = root or schema
    schema = _resolved(schema, root)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [fitted(schema["items"], item, root) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    made = {}
    for name, part in schema["properties"].items():
        if name in value:
            made[name] = fitted(part, value[name], root)
        elif name in schema.get("required", ()):
            made[name] = emptiest(part, root)
    return made


def emptiest(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """Return the emptiest value that fits: null if allowed, else the first choice."""
    options = schema.get("anyOf", ())
    if {"type": "null"} in options:
        return None
    schema = _resolved(schema, root)
    if "const" in schema or schema.get("enum"):
        return schema.get("const", (schema.get("enum") or [None])[0])
    if "default" in schema:
        return schema["default"]
    if "properties" in schema:
        return fitted(schema, {}, root)
    return _EMPTY.get(schema.get("type", "string"), "")


def _words(schema: dict[str, Any], said: str) -> dict[str, str]:
    """Return `said` under the field meant for it: the summary, else the first text field."""
    texts = [n for n, p in schema.get("properties", {}).items() if p.get("type") == "string"]
    place = "summary" if "summary" in texts else (texts[0] if texts else None)
    return {place: said} if place else {}


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Return the schema behind a reference, or the first real one of several options."""
    for _ in range(8):
        if "$ref" in schema:
            schema = root.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2], {})
        elif "anyOf" in schema:
            schema = next((o for o in schema["anyOf"] if o != {"type": "null"}), {})
        else:
            break
    return schema

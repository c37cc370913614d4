"""A call's arguments as its tool's schema describes them, for tools without a preview of their own.

Whatever the arguments are, each of their values has its row: what the schema does not know, and
what does not fit it, says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from executions.core.figures import Path
from executions.desk.fields import resolved
from executions.desk.parts import DEEP, MANY, key_of
from tools.base import Tool

ABSENT = object()
_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no",
    "array": "list",
    "object": "group",
}
_FORMATS = {"date": "day", "date-time": "day and time", "uuid": "id", "email": "e-mail address"}
_IS = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "array": list,
    "object": dict,
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One value. `kind` is its type in words; `text` the value, `rows` what it consists of;
    `hint` says more about the value, `wrong` what does not fit the schema."""

    name: str
    label: str
    key: str
    kind: str = ""
    help: str = ""
    text: str = ""
    hint: str = ""
    wrong: str = ""
    is_given: bool = True
    is_text: bool = False
    rows: list[Row] = field(default_factory=list)


def described(tool: Tool | None, arguments: Any) -> list[Row]:
    """Return a row for each argument, in the order of the tool's schema."""
    schema = tool.arguments.model_json_schema() if tool else {}
    if not isinstance(arguments, dict) or len(arguments) > MANY:
        return [_row("arguments", arguments, schema, schema.get("$defs", {}), ())]
    return list(_fields(arguments, schema, schema.get("$defs", {}), ()))


def _fields(value: dict[str, Any], schema: Any, definitions: Any, path: Path) -> Iterator[Row]:
    known = schema.get("properties", {})
    for name, inner in known.items():
        yield _row(name, value.get(name, ABSENT), inner, definitions, (*path, name))
    for name, one in value.items():
        if name not in known:
            row = _row(name, one, {}, definitions, (*path, name))
            yield Row(**{**vars(row), "wrong": "not in its schema" if known else ""})


def _row(name: str, value: Any, schema: Any, definitions: Any, path: Path) -> Row:
    inner, may_be_null = resolved(schema, definitions)
    told = {
        "name": name,
        "label": _label(name, inner),
        "key": key_of(path),
        "kind": _kind(inner),
        "help": inner.get("description", ""),
    }
    if value is ABSENT or (value is None and (may_be_null or "default" in inner)):
        default = inner.get("default")
        hint = f"stands for {_text(default)}" if default not in (None, [], {}) else ""
        return Row(
            **told, is_given=False, text="left out" if value is ABSENT else "null", hint=hint
        )
    rows = _inner(value, inner, definitions, path)
    return Row(
        **told,
        text="" if value and isinstance(value, dict | list) else _text(value),
        is_text=isinstance(value, str),
        hint=_hint(value, inner),
        wrong=_wrong(value, inner),
        rows=rows,
    )


def _inner(value: Any, schema: Any, definitions: Any, path: Path) -> list[Row]:
    """Return the rows of what a value consists of; none of what is folded."""
    if not isinstance(value, dict | list) or len(path) >= DEEP or len(value) > MANY:
        return []
    if isinstance(value, dict):
        return list(_fields(value, schema, definitions, path))
    items = schema.get("items") if isinstance(schema.get("items"), dict) else {}
    return [
        _row(str(number + 1), one, items, definitions, (*path, number))
        for number, one in enumerate(value)
    ]


def _label(name: str, schema: Any) -> str:
    """Return the title its author gave it, or its name in words; pydantic's own titles are none."""
    title = schema.get("title", "")
    words = name.replace("_", " ")
    return title if title and title.casefold() != words.casefold() else words


def _kind(schema: Any) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(map(_text, schema["enum"]))
    if "const" in schema:
        return f"always {_text(schema['const'])}"
    if options := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(filter(None, map(_kind, options))))
    return _FORMATS.get(schema.get("format", ""), _WORDS.get(schema.get("type", ""), ""))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return "null" if value is None else json.dumps(value, ensure_ascii=False)


def _hint(value: Any, schema: Any) -> str:
    """Return a day in words; it is easily misread."""
    if schema.get("format") != "date" or not isinstance(value, str):
        return ""
    try:
        return f"{date.fromisoformat(value):%A, %-d %B %Y}"
    except ValueError:
        return ""


def _wrong(value: Any, schema: Any) -> str:
    """Return how a value does not fit its schema, as far as its type and its choices tell."""
    if "enum" in schema and value not in schema["enum"]:
        return "none of the values it may have"
    expected = schema.get("type")
    fits = expected not in _IS or isinstance(value, _IS[expected])
    if isinstance(value, bool) and expected in ("integer", "number"):
        fits = False
    return "" if fits else f"not a {_WORDS[expected]}"

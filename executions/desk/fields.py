"""A form made from a tool's schema, and the arguments read back from it with their types kept.

A field whose text comes back as it was shown keeps its value exactly: browsers rewrite line breaks,
and what nobody touched must not change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from executions.core import storable
from tools.base import Tool

LEFT_OUT = object()
LONG_LINE = 200
"""Texts that may be longer than this, or hold line breaks, get several lines."""
_ROOT = "arg"

Data = Mapping[str, str]


@dataclass
class Field:
    """One value. `kind`: line, text, lines, integer, number, flag, choice, date or json."""

    name: str
    label: str
    kind: str
    value: Any
    is_optional: bool
    help: str = ""
    options: Sequence[Any] = ()
    errors: list[str] = field(default_factory=list)
    typed: str | None = None

    @property
    def text(self) -> str:
        """Return what stands in the field: what was typed, or the value."""
        return self.shown if self.typed is None else self.typed

    @property
    def shown(self) -> str:
        return _text(self.kind, self.value)

    @property
    def choices(self) -> list[str]:
        if self.kind == "flag":
            return ["yes", "no"]
        found = [_text("choice", one) for one in self.options]
        return found if not self.shown or self.shown in found else [self.shown, *found]

    @property
    def rows(self) -> int:
        return min(max(self.text.count("\n") + len(self.text) // 80 + 1, 2), 24)

    def fields(self) -> Iterator[Field]:
        yield self

    def read(self, data: Data) -> Any:
        """Return the value typed, or LEFT_OUT; what cannot be read leaves an error here."""
        self.typed = _lines(data.get(self.name, ""))
        if self.typed == _lines(self.shown):
            return LEFT_OUT if self.value is None and self.is_optional else self.value
        if not self.typed.strip() and self.is_optional:
            return LEFT_OUT
        try:
            return self._parsed(self.typed)
        except ValueError as error:
            self.errors.append(str(error))
            return self.value

    def _parsed(self, typed: str) -> Any:
        match self.kind:
            case "lines":
                return [line for line in typed.split("\n") if line.strip()]
            case "integer":
                return _number(typed, whole=True)
            case "number":
                return _number(typed, whole=False)
            case "flag":
                return _flag(typed)
            case "choice":
                return next((one for one in self.options if _text("choice", one) == typed), typed)
            case "json":
                return storable.parse(typed)
        return typed


@dataclass
class Group:
    """The fields of an object, or the objects of a list. `may_go`: it can be left out."""

    name: str
    label: str
    is_list: bool
    parts: list[Field | Group]
    is_optional: bool = False
    may_go: bool = False
    is_new: bool = False
    is_gone: bool = False

    def fields(self) -> Iterator[Field]:
        for part in self.parts:
            yield from part.fields()

    def read(self, data: Data) -> Any:
        self.is_gone = self.may_go and f"{self.name}.out" in data
        values = [part.read(data) for part in self.parts]
        if self.is_gone or (self.is_new and all(one is LEFT_OUT for one in values)):
            return LEFT_OUT
        if self.is_list:
            items = [one for one in values if one is not LEFT_OUT]
            return items or (LEFT_OUT if self.is_optional else [])
        pairs = zip(self.parts, values, strict=True)
        read = {part.name.rpartition(".")[2]: one for part, one in pairs if one is not LEFT_OUT}
        return read or (LEFT_OUT if self.is_optional else {})


def form_of(tool: Tool, arguments: Any) -> Group:
    """Return the tool's arguments as fields that hold `arguments`."""
    raw = tool.arguments.model_json_schema()
    made = _part(_ROOT, raw, arguments, raw.get("$defs", {}), optional=False)
    assert isinstance(made, Group)
    return made


def blame(form: Group, told: str) -> list[str]:
    """Put the clauses of a tool's refusal at the fields they name; return the others."""
    rest = []
    for clause in told.split("; "):
        place, colon, message = clause.rpartition("not accepted: ")[2].partition(": ")
        named = f"{_ROOT}.{place}"
        found = next(
            (one for one in form.fields() if named == one.name or named.startswith(f"{one.name}.")),
            None,
        )
        if found and colon:
            found.errors.append(message)
        else:
            rest.append(clause)
    return rest


def _part(name: str, schema: Any, value: Any, definitions: Any, *, optional: bool) -> Field | Group:
    """Return the form of one value by its schema; what has no better form is JSON."""
    schema, may_be_null = resolved(schema, definitions)
    optional = optional or may_be_null
    label = name.rpartition(".")[2].replace("_", " ")
    kind = _kind(schema, value)
    if kind == "object" and (value is None or isinstance(value, dict)):
        return _object(name, label, schema, value or {}, definitions, optional)
    if kind == "objects" and (value is None or isinstance(value, list)):
        return _objects(name, label, schema, value, definitions, optional and value is None)
    return Field(
        name=name,
        label=label,
        kind="json" if kind in ("object", "objects") else kind,
        value=value,
        is_optional=optional,
        help=schema.get("description", ""),
        options=schema.get("enum", ()),
    )


def _object(
    name: str, label: str, schema: Any, value: Any, definitions: Any, optional: bool
) -> Group:
    required = schema.get("required", ())
    return Group(
        name=name,
        label=label,
        is_list=False,
        is_optional=optional,
        parts=[
            _part(f"{name}.{key}", one, value.get(key), definitions, optional=key not in required)
            for key, one in schema["properties"].items()
        ],
    )


def _objects(
    name: str, label: str, schema: Any, value: list[Any] | None, definitions: Any, is_absent: bool
) -> Group:
    """Return a list of objects: one group each, and an empty one for one more.

    A list that was not there stays away while nothing is added: an empty one may mean "none".
    """
    value = value or []
    inner, _ = resolved(schema["items"], definitions)
    parts: list[Field | Group] = []
    for number, one in enumerate([*value, {}]):
        part = _object(f"{name}.{number}", f"{label} {number + 1}", inner, one, definitions, True)
        part.is_new = number == len(value)
        part.may_go = not part.is_new
        for each in part.fields() if part.is_new else ():
            each.is_optional = True
        parts.append(part)
    return Group(name=name, label=label, is_list=True, parts=parts, is_optional=is_absent)


def resolved(schema: Any, definitions: Any) -> tuple[Any, bool]:
    """Return the schema without reference and without null, and whether it may be null."""
    if "$ref" in schema:
        named = definitions[schema["$ref"].rpartition("/")[2]]
        schema = {**named, **{key: one for key, one in schema.items() if key != "$ref"}}
    options = schema.get("anyOf", [])
    others = [one for one in options if one.get("type") != "null"]
    if len(others) == 1:
        inner, _ = resolved(others[0], definitions)
        outer = {key: one for key, one in schema.items() if key != "anyOf"}
        return {**inner, **outer}, len(others) < len(options)
    return schema, False


def _kind(schema: Any, value: Any) -> str:
    if "enum" in schema:
        return "choice"
    match schema.get("type"):
        case "object" if "properties" in schema:
            return "object"
        case "array":
            return _array_kind(schema.get("items", {}), value)
        case "boolean":
            return "flag"
        case "integer" | "number":
            return str(schema["type"])
        case "string" if schema.get("format") == "date":
            return "date"
        case "string":
            long = schema.get("maxLength", 0) > LONG_LINE or "\n" in str(value or "")
            return "text" if long else "line"
    return "json"


def _array_kind(items: Any, value: Any) -> str:
    if items.get("type") == "string" and not any("\n" in str(one) for one in value or ()):
        return "lines"
    return "objects" if "$ref" in items or "properties" in items else "json"


def _text(kind: str, value: Any) -> str:
    if value is None:
        return ""
    if kind == "lines" and isinstance(value, list):
        return "\n".join(map(str, value))
    if kind == "flag":
        return "yes" if value else "no"
    if isinstance(value, str) and kind != "json":
        return value
    return json.dumps(value, ensure_ascii=False, indent=2 if kind == "json" else None)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _flag(typed: str) -> bool:
    if typed not in ("yes", "no"):
        raise ValueError("Say yes or no.")
    return typed == "yes"


def _number(typed: str, *, whole: bool) -> int | float:
    try:
        return int(typed.strip())
    except ValueError:
        if whole:
            raise ValueError("A whole number is needed.") from None
    try:
        return float(typed.strip().replace(",", "."))
    except ValueError:
        raise ValueError("A number is needed.") from None

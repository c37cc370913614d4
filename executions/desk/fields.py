"""A form made from a tool's schema, and the arguments read back from it with their types kept.

A field whose text comes back as it was shown keeps its value exactly: browsers rewrite line breaks,
and what nobody touched must not change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from executions.core import storable
from executions.desk.typed import flag_of, number_of, plain_lines, text_of
from tools.base import Tool

LEFT_OUT = object()
LONG_LINE = 200
"""Texts that may be longer than this, or hold line breaks, get several lines."""
_ROOT = "arg"

Data = Mapping[str, str]


@dataclass
class Field:
    """One value. `kind`: line, text, lines, integer, number, flag, choice, date or json. `stands`:
    what is on record in words, where leaving the field empty lets it stay."""

    name: str
    label: str
    kind: str
    value: Any
    is_optional: bool
    help: str = ""
    options: Sequence[Any] = ()
    errors: list[str] = field(default_factory=list)
    typed: str | None = None
    stands: str | None = None

    @property
    def is_idle(self) -> bool:
        """Say whether nothing was proposed here, nor typed, nor is missing."""
        return self.is_optional and self.value is None and not self.text and not self.errors

    @property
    def text(self) -> str:
        """Return what stands in the field: what was typed, or the value."""
        return self.shown if self.typed is None else self.typed

    @property
    def shown(self) -> str:
        return text_of(self.kind, self.value)

    @property
    def choices(self) -> list[str]:
        if self.kind == "flag":
            return ["yes", "no"]
        found = [text_of("choice", one) for one in self.options]
        return found if not self.shown or self.shown in found else [self.shown, *found]

    @property
    def rows(self) -> int:
        return min(max(self.text.count("\n") + len(self.text) // 80 + 1, 2), 24)

    def fields(self) -> Iterator[Field]:
        yield self

    def read(self, data: Data) -> Any:
        """Return the value typed, or LEFT_OUT; what cannot be read leaves an error here."""
        self.typed = plain_lines(data.get(self.name, ""))
        if self.typed == plain_lines(self.shown):
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
                return number_of(typed, whole=True)
            case "number":
                return number_of(typed, whole=False)
            case "flag":
                return flag_of(typed)
            case "choice":
                return next((one for one in self.options if text_of("choice", one) == typed), typed)
            case "json":
                return storable.parse(typed)
        return typed


@dataclass
class Group:
    """The fields of an object, or the objects of a list. `may_go`: it can be left out; `is_first`:
    it is new, and none is there; `stands`: as with a field."""

    name: str
    label: str
    is_list: bool
    parts: list[Field | Group]
    is_optional: bool = False
    may_go: bool = False
    is_new: bool = False
    is_first: bool = False
    is_gone: bool = False
    stands: str | None = None

    @property
    def is_idle(self) -> bool:
        return self.is_optional and all(part.is_idle for part in self.parts)

    @property
    def folded(self) -> list[Field | Group]:
        """What is of no concern here as long as nobody asks for it; a single one is shown."""
        idle = [] if self.is_list or self.is_new else [one for one in self.parts if one.is_idle]
        return idle if 1 < len(idle) < len(self.parts) else []

    @property
    def shown_parts(self) -> list[Field | Group]:
        folded = {one.name for one in self.folded}
        return [one for one in self.parts if one.name not in folded]

    @property
    def is_kept(self) -> bool:
        """Say whether what is folded stays on record as it is."""
        return all(one.stands is not None for one in self.folded)

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


def form_of(tool: Tool, arguments: Any, stands: Mapping[str, str] | None = None) -> Group:
    """Return the tool's arguments as fields that hold `arguments`. `stands`: what is on record in
    words, by the argument's path (`changes.phone`)."""
    raw = tool.arguments.model_json_schema()
    made = _part(_ROOT, raw, arguments, raw.get("$defs", {}), optional=False)
    assert isinstance(made, Group)
    _note(made, stands or {})
    return made


def path_of(part: Field | Group) -> str:
    return part.name.removeprefix(_ROOT).removeprefix(".")


def _note(group: Group, stands: Mapping[str, str]) -> None:
    for part in group.parts:
        part.stands = stands.get(path_of(part))
        if isinstance(part, Group):
            _note(part, stands)


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
        part.is_first = part.is_new and not value
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

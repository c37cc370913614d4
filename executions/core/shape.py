"""Does a JSON value have the shape a stored JSON schema asks for?

For answers to a definition whose Python model has changed or is gone. Knows what pydantic writes;
a keyword it does not know asks for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int,),
}
Kinds = type | tuple[type, ...]
BOUNDS: dict[str, tuple[Kinds, Callable[[Any, Any], Any], str]] = {
    "minLength": (str, lambda value, bound: len(value) >= bound, "is too short"),
    "maxLength": (str, lambda value, bound: len(value) <= bound, "is too long"),
    "pattern": (str, lambda value, bound: re.search(bound, value), "does not fit {bound}"),
    "minItems": (list, lambda value, bound: len(value) >= bound, "needs at least {bound} items"),
    "maxItems": (list, lambda value, bound: len(value) <= bound, "has room for {bound} items"),
    "minimum": ((int, float), lambda value, bound: value >= bound, "must be at least {bound}"),
    "maximum": ((int, float), lambda value, bound: value <= bound, "must be at most {bound}"),
    "exclusiveMinimum": ((int, float), lambda value, bound: value > bound, "must be over {bound}"),
    "exclusiveMaximum": ((int, float), lambda value, bound: value < bound, "must be under {bound}"),
}


def faults(schema: Schema, value: Any) -> list[str]:
    """Return what is wrong with `value`, one clause each; empty when it fits."""
    return list(_faults(schema, value, "", schema.get("$defs") or {}))


def _faults(schema: Schema, value: Any, place: str, named: Schema) -> Iterator[str]:
    if reference := schema.get("$ref"):
        schema = {**named.get(str(reference).rpartition("/")[2], {}), **schema}
    here = place or "the answer"
    if "type" in schema and not _is(value, schema["type"]):
        yield f"{here}: must be {_types(schema['type'])}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{here}: must be {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{here}: must be one of {', '.join(map(repr, schema['enum']))}"
    for key, (kinds, fits, said) in BOUNDS.items():
        measured = key in schema and isinstance(value, kinds) and not isinstance(value, bool)
        if measured and not fits(value, schema[key]):
            yield f"{here}: {said.format(bound=schema[key])}"
    for part in schema.get("allOf") or ():
        yield from _faults(part, value, place, named)
    choices = schema.get("anyOf") or schema.get("oneOf") or ()
    if choices and all(any(_faults(part, value, place, named)) for part in choices):
        yield f"{here}: fits none of what is allowed there"
    if isinstance(value, dict):
        yield from _object(schema, value, place, named)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _faults(schema["items"], item, _below(place, str(number)), named)


def _object(schema: Schema, value: dict[str, Any], place: str, named: Schema) -> Iterator[str]:
    known: Schema = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name not in value:
            yield f"{_below(place, name)}: is missing"
    other = schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in known:
            yield from _faults(known[name], item, _below(place, name), named)
        elif other is False:
            yield f"{_below(place, name)}: is not allowed here"
        elif isinstance(other, dict):
            yield from _faults(other, item, _below(place, name), named)


def _is(value: Any, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(value, bool):
        return "boolean" in names
    if isinstance(value, float) and value.is_integer() and "integer" in names:
        return True
    return any(isinstance(value, TYPES.get(name, (object,))) for name in names)


def _types(wanted: str | list[str]) -> str:
    return wanted if isinstance(wanted, str) else " or ".join(wanted)


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name

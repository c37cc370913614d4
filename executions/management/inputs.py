"""Input from the shell: one JSON document, or JSON lines, read as a stream."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from executions.core import storable
from executions.management.terminal import clipped

INPUT_BYTES = 256_000
"""The most one execution's input may have; more is no input but a document."""

DEEPEST = 32
STDIN = "-"


class BadInput(ValueError):
    """Input that cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Line:
    """One line of many: its number in the source, and its bytes."""

    number: int
    raw: bytes


@contextmanager
def opened(source: str) -> Iterator[BinaryIO]:
    """Open what --input names: `-` is standard input, `@file` a file, all else JSON itself."""
    if source == STDIN:
        yield sys.stdin.buffer
    elif source.startswith("@"):
        try:
            file = Path(source[1:]).open("rb")  # noqa: SIM115 - closed below
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise BadInput(f"the file {source[1:]} cannot be read: {why}") from None
        with file:
            yield file
    else:
        yield io.BytesIO(source.encode("utf-8", "surrogatepass"))


def documents(source: BinaryIO, *, lines: bool) -> Any | Iterator[Line]:
    """Return the one value that `source` holds, or an iterator over its lines.

    They are lines when `lines` says so, or when the first line is a whole document and more
    follows. Raises BadInput when the one value cannot be used.
    """
    stream = numbered(source)
    if lines:
        return stream
    first = next(stream, None)
    if first is None:
        raise BadInput("the input is empty; expected a JSON object")
    if _is_whole(first.raw):
        second = next(stream, None)
        if second is not None:
            return chain([first, second], stream)
        return parsed(first.raw, line=first.number)
    return parsed(b"".join(_bounded(chain([first], stream))))


def numbered(source: BinaryIO) -> Iterator[Line]:
    """Return the lines that are not blank; one too long is cut, and so refused by `parsed`."""
    number = 0
    while raw := source.readline(INPUT_BYTES + 2):
        number += 1
        rest = raw
        while len(raw) > INPUT_BYTES and rest and not rest.endswith(b"\n"):
            rest = source.readline(INPUT_BYTES)
        if raw.strip():
            yield Line(number, raw.rstrip(b"\r\n"))


def parsed(raw: bytes, *, line: int = 1) -> Any:
    """Return the JSON value in `raw`, which begins in line `line`, or raise BadInput."""
    if len(raw) > INPUT_BYTES:
        raise BadInput(f"the input has more than {INPUT_BYTES:,} bytes")
    try:
        value = storable.parse(raw.decode("utf-8-sig", "surrogatepass"))
    except UnicodeDecodeError as error:
        raise BadInput(
            f"the input is not UTF-8: byte 0x{raw[error.start]:02x} at position {error.start}"
        ) from None
    except json.JSONDecodeError as error:
        raise BadInput(_where(error, line)) from None
    except ValueError as error:
        raise BadInput(f"the input is not usable JSON: {error}") from None
    if why := objection(value):
        raise BadInput(why)
    return value


def objection(value: Any, *, place: str = "", depth: int = 0) -> str | None:
    """Return why PostgreSQL could not keep `value` as it is, with the field's name, or None."""
    where = place or "the input"
    if depth > DEEPEST:
        return f"{clipped(where, limit=80)}: it is nested more than {DEEPEST} deep"
    if isinstance(value, str):
        return _bad_character(where, value)
    if isinstance(value, int | float) and storable.value(value) != value:
        return f"{where}: the number is too large"
    for name, item in _items(value):
        inside = f"{place}.{name}" if place else str(name)
        why = _bad_character(inside, name) or objection(item, place=inside, depth=depth + 1)
        if why:
            return why
    return None


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _bad_character(where: str, text: Any) -> str | None:
    if not isinstance(text, str) or storable.text(text) == text:
        return None
    for place, char in enumerate(text, start=1):
        if storable.text(char) != char:
            return (
                f"{clipped(where, limit=80)}: character {place} is U+{ord(char):04X}, which"
                " PostgreSQL cannot keep"
            )
    return None


def _where(error: json.JSONDecodeError, began: int) -> str:
    near = error.doc[error.pos : error.pos + 20]
    found = f"at {json.dumps(near, ensure_ascii=False)}" if near.strip() else "where it ends"
    line = error.lineno + began - 1
    return f"the input is not JSON: {error.msg}, line {line}, column {error.colno}, {found}"


def _is_whole(raw: bytes) -> bool:
    """Test if this line alone is JSON, good or bad: then what follows are more lines."""
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def _bounded(lines: Iterator[Line]) -> Iterator[bytes]:
    """Yield the text again, blank lines too, until it is more than `parsed` takes."""
    size, number = 0, 1
    for line in lines:
        size += len(line.raw) + 1
        yield b"\n" * (line.number - number) + line.raw
        number = line.number
        if size > INPUT_BYTES:
            return

"""Text cut into pieces that show.

Whatever hides, reorders others, looks like a blank or like another letter becomes a mark with its
code and name, so that what is on the screen determines the text: joining the pieces' sources gives
it back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from executions.templatetags.lookalikes import positions
from executions.templatetags.words import count

LONG_BLANK = 20
"""From so many spaces in a row on, they are counted instead of shown."""
LONG_GAP = 5
"""From so many line breaks in a row on, they are counted instead of shown."""

_PLAIN = re.compile(r"[!-~]+(?: {1,19}[!-~]+)*")
_WORD_OR_BLANK = re.compile(r"\S+|\s+")
_NOT_PLAIN = re.compile(r"[^ -~\n\t]")
_HIDING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that draw nothing: joiners, fillers, variation selectors, a blank pattern.
_DRAWS_NOTHING = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
_CONTROLS = {"\t": "tab", "\r": "carriage return", "\n": "line break", "\x00": "null"}


@dataclass(frozen=True)
class Piece:
    """Characters of the text; with a `mark` that is shown in their place, otherwise as they are.
    `is_twin`: they would show, but look like others."""

    source: str
    mark: str = ""
    is_blank: bool = False
    is_twin: bool = False


def pieces(text: str, *, lines: bool) -> Iterator[Piece]:
    """Cut `text`. With `lines` a line break stays one; without, it is marked like the others."""
    plain: list[str] = []
    for piece in _small_pieces(text, lines=lines):
        if not piece.mark:
            plain.append(piece.source)
            continue
        if plain:
            yield Piece("".join(plain))
            plain.clear()
        yield piece
    if plain:
        yield Piece("".join(plain))


def marked(text: str) -> str:
    """Return `text` with its marks in brackets, for places that take no markup."""
    return "".join(
        f"\N{MATHEMATICAL LEFT ANGLE BRACKET}{one.mark}\N{MATHEMATICAL RIGHT ANGLE BRACKET}"
        if one.mark
        else one.source
        for one in pieces(text, lines=False)
    )


def hidden_count(text: str) -> int:
    """Return how many characters of `text` would not show, or would reorder others."""
    return sum(map(_hides, _NOT_PLAIN.findall(text)))


def _small_pieces(text: str, *, lines: bool) -> Iterator[Piece]:
    """Cut `text` into stretches of plain ASCII, which is nearly everything, and runs between."""
    twins = positions(text)
    end = 0
    for match in () if twins else _PLAIN.finditer(text):
        yield from _between(text[end : match.start()], lines=lines)
        yield Piece(match.group())
        end = match.end()
    yield from _between(text[end:], lines=lines, twins=twins)


def _between(text: str, *, lines: bool, twins: frozenset[int] = frozenset()) -> Iterator[Piece]:
    """Cut `text` into words and blanks that show as they are, and single runs of what may not."""
    for match in _WORD_OR_BLANK.finditer(text):
        if _shows_whole(match.group()) and twins.isdisjoint(range(*match.span())):
            yield Piece(match.group())
        else:
            yield from _runs(text, match.span(), lines=lines, twins=twins)


def _shows_whole(word: str) -> bool:
    is_long_blank = len(word) >= LONG_BLANK and word.isspace()
    # What is not printable hides or is an odd blank; space is the only printable blank.
    return word.isprintable() and not is_long_blank and _DRAWS_NOTHING.isdisjoint(word)


def _runs(
    text: str, span: tuple[int, int], *, lines: bool, twins: frozenset[int]
) -> Iterator[Piece]:
    """Cut this part of `text` into runs of one character, each looked at by itself."""
    start, end = span
    chars = ((text[at], at in twins) for at in range(start, end))
    for (char, is_twin), group in groupby(chars):
        run = char * len(list(group))
        start += len(run)
        if is_twin:
            yield Piece(run, _code(run), is_twin=True)
        elif char == " " and lines and len(run) < LONG_BLANK and text[start : start + 1] == "\n":
            yield Piece(run, count(len(run), "space"), is_blank=True)
        else:
            yield from _marked(run, lines=lines)


def _marked(run: str, *, lines: bool) -> Iterator[Piece]:
    """Return the piece, or pieces, of one character repeated."""
    char, length = run[0], len(run)
    if char == "\n" and lines:
        if length < LONG_GAP:
            yield Piece(run)
        else:
            yield Piece(run[1:], f"{length - 1} empty lines", is_blank=True)
            yield Piece(char)
    elif char == " " and length >= LONG_BLANK:
        yield Piece(run, f"{length} spaces", is_blank=True)
    elif _hides(char) or _is_odd_blank(char):
        yield Piece(run, _code(run), is_blank=not _hides(char))
    else:
        yield Piece(run)


def _code(run: str) -> str:
    """Return "U+202E right-to-left override, 2 times" for one character repeated."""
    times = f", {len(run)} times" if len(run) > 1 else ""
    return f"U+{ord(run[0]):04X} {_name(run[0])}{times}"


def _hides(char: str) -> bool:
    return (unicodedata.category(char) in _HIDING and char not in "\n\t") or char in _DRAWS_NOTHING


def _is_odd_blank(char: str) -> bool:
    return char in "\n\t" or (char != " " and unicodedata.category(char) == "Zs")


def _name(char: str) -> str:
    return _CONTROLS.get(char) or unicodedata.name(char, "unnamed").lower()

"""Figures: what in a text names or counts something, and so must have come from somewhere.

They are e-mail addresses, links, record ids, digests, account numbers, dates, telephone numbers,
percentages, amounts, and numbers of three digits or more. Two spellings of one figure have one key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]

LEAST_DIGITS = 3
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_MONTH = rf"(?:{'|'.join(f'{one}|{one[:3]}' for one in _MONTHS)}|sept)\b\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th|\.)?"
_COIN = r"(?:[€$£¥]|\b(?:EUR|USD|GBP|CHF|CZK|DKK|NOK|SEK|PLN|BGN)\b)"
_NUMBER = (
    r"(?<!\d)(?<!\d[.,])"
    r"(?:\d{1,3}(?:[ \u00a0\u202f'\u2019]\d{3})+(?!\d)(?:[.,]\d{1,2}(?!\d))?|\d+(?:[.,]\d+)*)"
)
# The first that fits wins. Each begins where nothing of its own stands before it, so that one long
# word is not read anew from each of its letters.
_KINDS = {
    "link": r"(?:https?://|ftp://|www\.|mailto:)[^\s<>\"']+",
    "email": r"(?<![\w.%+'-])[\w.%+'-]{1,64}@[\w-]+(?:\.[\w-]+)+",
    "digest": (
        r"(?<![\w-])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,128})(?![\w-])"
    ),
    "id": (
        r"(?<![\w-])(?:DOC-[0-9a-f]{12}|REG-[A-Z0-9][A-Z0-9-]*"
        r"|[A-Z]{1,10}(?:-[A-Z]{1,10}){0,3}-\d\w*(?:[.-]\w+)*)"
    ),
    "account": (
        r"(?<!\w)[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}"
        r"|[ ][A-Z0-9]{4}(?:[ ](?=[A-Z]{0,3}\d)[A-Z0-9]{4}){1,7}(?:[ ][A-Z0-9]{1,3})?)(?!\w)"
    ),
    "date": (
        rf"(?<!\d)(?:\d{{4}}-\d{{2}}-\d{{2}}|{_DAY} (?i:{_MONTH}),? \d{{4}}"
        r"|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2}/\d{4})(?!\d)"
        rf"|(?<!\w)(?i:{_MONTH}) {_DAY},? \d{{4}}(?!\d)"
    ),
    "phone": r"\+\d(?:[ /.-]?[()]?\d\)?){6,14}(?!\d)",
    "percent": rf"{_NUMBER}[ \u00a0\u202f]?(?:%|per ?cent\b)",
    "amount": rf"{_COIN}[ \u00a0]?{_NUMBER}|{_NUMBER}[ \u00a0]?{_COIN}(?! ?\d)",
    "number": _NUMBER,
}
_ANY = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()))
_MAYBE = re.compile(r"[\d@]|REG-|www\.|://|mailto:", re.IGNORECASE)  # most texts hold none
_END_OF_LINK = ".,;:!?)]}\u00bb\u201d\u2019\u2026"


@dataclass(frozen=True)
class Figure:
    """`text` as it is written, `key` the same for every spelling, `path` where it stands first."""

    text: str
    key: str
    path: Path = ()

    @property
    def place(self) -> str:
        return place_of(self.path)


def place_of(path: Path) -> str:
    """Return where something stands in a JSON value, in words; positions count from 1."""
    words = (str(one + 1) if isinstance(one, int) else one for one in path)
    return " ".join(words).replace("_", " ")


def figures_of(value: Any) -> list[Figure]:
    """Return the figures of a JSON value, each once, in order."""
    found: dict[str, Figure] = {}
    for path, text in leaves(value):
        for one in _cut(text, path):
            found.setdefault(one.key, one)
    return list(found.values())


def keys_of(text: str) -> set[str]:
    """Return the keys that a source has by a `plain` text: of its figures, of the years of dates,
    and of the numbers before percent signs."""
    found = set()
    for one in _cut(text, (), least=1):
        kind, _, rest = one.key.partition(" ")
        found.add(one.key)
        if kind in ("date", "percent"):
            found.add(f"number {rest[:4] if kind == 'date' else rest}")
    return found


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the texts and numbers of a JSON value, numbers as texts; a share in percent as one."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, str(name)))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from leaves(one, (*path, index))
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        is_share = bool(path) and "percent" in str(path[-1])
        yield path, f"{in_digits(value)} %" if is_share else in_digits(value)


def in_digits(number: int | float) -> str:
    """Return a number without an exponent; 60.0 is "60"."""
    text = f"{number:f}" if isinstance(number, float) else str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(text: str) -> str:
    """Return text without what hides in it, and with letters and digits in their usual form."""
    if text.isascii():
        return text
    usual = unicodedata.normalize("NFKC", text)
    return "".join(one for one in usual if unicodedata.category(one) != "Cf")


def stands_in(figure: Figure, text: str) -> bool:
    """Test if a figure stands in a text by itself, as it is written. `text` is `plain`, folded."""
    written = plain(figure.text).casefold()
    joins = ".,-/" if figure.key.startswith("number ") else ".,"
    at = text.find(written) if written else -1
    while at >= 0:
        end = at + len(written)
        before, after = text[max(at - 2, 0) : at], text[end : end + 2]
        if not _goes_on(before[::-1], joins) and not _goes_on(after, joins):
            return True
        at = text.find(written, at + 1)
    return False


def _goes_on(beside: str, joins: str) -> bool:
    """Test if what stands beside a figure, nearest first, belongs to it: a letter, a digit, or
    either behind a mark that joins."""
    return beside[:1].isalnum() or (beside[:1] in tuple(joins) and beside[1:].isalnum())


def _cut(text: str, path: Path, *, least: int = LEAST_DIGITS) -> Iterator[Figure]:
    for match in _ANY.finditer(text) if _MAYBE.search(text) else ():
        kind, written = str(match.lastgroup), match.group()
        if kind == "number" and sum(one.isdigit() for one in written) < least:
            continue
        if kind == "link":
            written = written.rstrip(_END_OF_LINK)
        yield Figure(written, _key(kind, plain(written)), path)


def _key(kind: str, text: str) -> str:
    """Return the figure's key."""
    if kind == "link":
        rest = re.sub(r"^(?:https?://|ftp://|mailto:)?(?:www\.)?", "", text.casefold())
        return f"link {rest.rstrip(_END_OF_LINK).rstrip('/')}"
    if kind in ("email", "digest"):
        return f"{kind} {text.casefold()}"
    if kind == "account":
        return f"account {text.replace(' ', '')}"
    if kind == "date":
        return f"date {_iso(text)}"
    if kind == "phone":
        return f"phone {''.join(filter(str.isdigit, text))}"
    if kind == "id":
        return f"id {text}"
    return f"{'percent' if kind == 'percent' else 'number'} {_decimal(text)}"


def _iso(text: str) -> str:
    """Return a date as 2026-03-03; of digits alone the day comes first, if it can."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return text
    numbers = [int(one) for one in re.findall(r"\d+", text)]
    if word := re.search(r"[a-z]{3}", re.sub(r"\d(?:st|nd|rd|th)", "0", text.casefold())):
        month = next(n for n, one in enumerate(_MONTHS, 1) if one.startswith(word.group()))
        day, year = numbers
    else:
        day, month, year = numbers
        if month > 12 >= day:
            day, month = month, day
    return f"{year}-{month:02}-{day:02}"


def _decimal(text: str) -> str:
    """Return a number with a point and without marks between thousands: 1250, 1284.6.

    One mark before exactly three digits stands between thousands, whichever mark it is.
    """
    digits = re.sub(r"[^\d.,]", "", text).strip(".,")
    marks = re.findall(r"[.,]", digits)
    groups = re.split(r"[.,]", digits)
    is_whole = len(set(marks)) < 2 and all(len(one) == 3 for one in groups[1:]) and groups[0] != "0"
    if not marks or is_whole:
        return "".join(groups)
    if len(set(marks)) == 1 and len(marks) > 1:
        return digits  # something like 6.1.2
    fraction = groups[-1].rstrip("0")
    return "".join(groups[:-1]) + (f".{fraction}" if fraction else "")

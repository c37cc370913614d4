"""What a customer asks to have changed, read off their message by plain rules.

Only how to reach them: nobody changes their risk rating, or who owns them, by e-mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_HOSTILE = re.compile(
    r"ignore (all |any )?(the )?previous|system notice|approval has already|do not mention|"
    r"already approved|full customer list",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w-])\+?\d[\d ()/.-]{6,24}\d(?![\w-])")
_ADDRESS = re.compile(
    r"(?:\b(?:registered office|address)\b[^\n]{0,60}?(?:\bis\b(?: now)?|:)|\bmoved to\b|"
    r"\bадрес\w*[^\n.]{0,20}? е\b)"  # noqa: RUF001
    r"\s*([^\n]*?\d[^\n]*?)"
    r"(?=\.\s+[A-Z]|\.?\s*$|\n|\s+(?:as of|since|with effect)\b|, а )",  # noqa: RUF001
    re.IGNORECASE | re.MULTILINE,
)
_WORDS = {
    "address": ("address", "registered office", "street", "moved", "адрес"),
    "phone": ("phone", "téléphone", "telefon", "mobile", "телефон"),
    "email": ("email", "e-mail", "mail address", "имейл"),
}
_LABELS = {"phone": "telephone", "email": "e-mail address"}


def is_hostile(body: str) -> bool:
    """Whether a message tries to direct its reader instead of asking."""
    return bool(_HOSTILE.search(body))


def wishes(body: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return the fields to change with their new values, without what the record says already."""
    found = {field: value_for(field, body) for field in _WORDS if _mentions(body, field)}
    return {field: value for field, value in found.items() if value and value != record.get(field)}


def value_for(field: str, text: str) -> str | None:
    """Return the last value for `field` that stands in `text`: the new one follows the old."""
    pattern = {"address": _ADDRESS, "phone": _PHONE, "email": _EMAIL}.get(field)
    found = pattern.findall(text) if pattern else []
    return str(found[-1]).strip(" .,") if found else None


def named_fields(text: str, fields: Iterable[str]) -> list[str]:
    """Return those of `fields` that `text` is about."""
    return [field for field in fields if _mentions(text, field)]


def label(field: str) -> str:
    """Return a field's name as a person says it."""
    return _LABELS.get(field, field.replace("_", " "))


def _mentions(text: str, field: str) -> bool:
    said = text.lower()
    if field == "address":
        # An e-mail address is no address to live at.
        said = re.sub(r"(e-?mail|mail)\s+address", "", said)
    return any(word in said for word in _WORDS.get(field, (field.replace("_", " "),)))

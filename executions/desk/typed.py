"""Values as a form's text, and back."""

from __future__ import annotations

import json
from typing import Any


def text_of(kind: str, value: Any) -> str:
    """Return what stands in a field of that kind (fields.py) for this value."""
    if value is None:
        return ""
    if kind == "lines" and isinstance(value, list):
        return "\n".join(map(str, value))
    if kind == "flag":
        return "yes" if value else "no"
    if isinstance(value, str) and kind != "json":
        return value
    return json.dumps(value, ensure_ascii=False, indent=2 if kind == "json" else None)


def plain_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def flag_of(typed: str) -> bool:
    if typed not in ("yes", "no"):
        raise ValueError("Say yes or no.")
    return typed == "yes"


def number_of(typed: str, *, whole: bool) -> int | float:
    try:
        return int(typed.strip())
    except ValueError:
        if whole:
            raise ValueError("A whole number is needed.") from None
    try:
        return float(typed.strip().replace(",", "."))
    except ValueError:
        raise ValueError("A number is needed.") from None

"""Kinds of text an LLM may hand to a tool. Characters that hide or reorder others are refused."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

LOCAL_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(rf"{LOCAL_PART}@{LABEL}(?:\.{LABEL})+")
PHONE = re.compile(r"\+?[0-9(][0-9 ()/.-]{3,30}")
JOINERS = "\u200c\u200d"  # spelling in some scripts, and joined emoji, need them


def hidden_characters(text: str, *, allowed: str = "") -> list[str]:
    """Return the characters of `text` that do not show or that reorder others, as "U+202E"."""
    found = {
        char
        for char in set(text)
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        and char not in allowed
    }
    return [f"U+{ord(char):04X}" for char in sorted(found)]


def _refuse_hidden(text: str, *, allowed: str = "") -> str:
    if hidden := hidden_characters(text, allowed=allowed):
        raise ValueError(f"holds characters that are not allowed here: {', '.join(hidden)}")
    if not text.strip():
        raise ValueError("is blank")
    return text


def line(text: str) -> str:
    """Return `text` if it is one visible line; ValueError otherwise."""
    return _refuse_hidden(text)


def paragraphs(text: str) -> str:
    """Return `text` if it is visible text, of one line or more; ValueError otherwise."""
    return _refuse_hidden(text, allowed="\n\t" + JOINERS)


def address(text: str) -> str:
    """Return `text` if it is one plain ASCII e-mail address; ValueError otherwise."""
    if len(text) > 254 or not ADDRESS.fullmatch(text):
        raise ValueError("is not a plain e-mail address like ana@example.org")
    return text


def phone(text: str) -> str:
    """Return `text` if it looks like a telephone number; ValueError otherwise."""
    if not PHONE.fullmatch(text):
        raise ValueError("is not a telephone number like +31 20 555 0101")
    return text


Line = Annotated[str, Field(max_length=200), AfterValidator(line)]
Paragraphs = Annotated[str, Field(max_length=6000), AfterValidator(paragraphs)]
EmailAddress = Annotated[str, AfterValidator(address), Field(description="a plain address")]
Phone = Annotated[str, AfterValidator(phone), Field(description="like +31 20 555 0101")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="two letters, ISO 3166")]

"""Texts that would do something if a page, a file, a header or a terminal took them for more than
text. `payloads.txt` has one a line, with Python's escapes; `@@` becomes the line's own marker."""

from __future__ import annotations

import re
from pathlib import Path

MARKER = re.compile(r"pwn\d+x", re.IGNORECASE)
_LINES = Path(__file__).with_suffix(".txt").read_text(encoding="ascii").splitlines()


def _payload(number: int, line: str) -> str:
    return line.encode().decode("unicode_escape").replace("@@", f"pwn{number}x")


PAYLOADS = [_payload(number, line) for number, line in enumerate(_LINES)]
TEXT = "\n".join(PAYLOADS)


def markers(text: str) -> set[str]:
    """Return which payloads a text holds, by their markers."""
    return {found.lower() for found in MARKER.findall(text)}


EVERY = markers(TEXT)
assert len(EVERY) == len(PAYLOADS) >= 150, "each line has a marker of its own"

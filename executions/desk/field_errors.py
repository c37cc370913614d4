"""A tool's refusal of edited arguments, put at the fields it is about, in words for a person."""

from __future__ import annotations

import re

from executions.desk.fields import Field, Group, path_of

SHOWN_CHARS = 60
_GOT = re.compile(r", got .*$", re.DOTALL)
# What the schema says of a value, and what a person who has the form before them is told.
_WORDS = (
    (re.compile(r"is missing|is blank|string should have at least 1 character"), "is needed"),
    (re.compile(r"list should have at least 1 item.*"), "needs at least one line"),
    (re.compile(r"list should have at most (\d+) items?.*"), r"may have at most \1 lines"),
    (re.compile(r"string should have at most (\d+) characters?"), r"may be \1 characters long"),
    (re.compile(r"string should have at least (\d+) characters?"), r"needs \1 characters"),
    (re.compile(r"string should match pattern .*"), "does not look like that"),
    (re.compile(r"input should be (a valid )?"), "should be "),
)


def blame(form: Group, told: str) -> list[str]:
    """Put the clauses of a tool's refusal at the fields they name; return the others."""
    rest = []
    for clause in told.split("; "):
        said = clause.rpartition("not accepted: ")[2]
        place, message = _split(said)
        found = next((one for one in form.fields() if _is_at(one, place)), None)
        if found and message:
            found.errors.append(_in_words(found, place, message))
        else:
            rest.append(clause)
    return rest


def _split(said: str) -> tuple[str, str]:
    """Return the place of a clause, and what it says of that."""
    if said.endswith(" is missing"):
        return said.removesuffix(" is missing"), "is missing"
    place, _, message = said.partition(": ")
    return place, message


def _is_at(one: Field, place: str) -> bool:
    return place == path_of(one) or place.startswith(f"{path_of(one)}.")


def _in_words(one: Field, place: str, message: str) -> str:
    """Return a sentence: for one of several lines with its number and the line itself."""
    plain = _GOT.sub("", message)
    for pattern, words in _WORDS:
        if pattern.match(plain):
            plain = pattern.sub(words, plain)
            break
    is_about_it = re.match(r"(is|has|may|needs?|does|should|must|says?)\b", plain)
    who = _line(one, place) or one.label.capitalize()
    help_ = f": {one.help}" if one.help and plain.startswith("does not look") else ""
    return f"{who} {plain}{help_}." if is_about_it else f"{who}: {plain}{help_}."


def _line(one: Field, place: str) -> str:
    number = place.removeprefix(f"{path_of(one)}.")
    if one.kind != "lines" or not number.isdecimal():
        return ""
    lines = [(at, line) for at, line in enumerate(one.text.split("\n"), 1) if line.strip()]
    if int(number) >= len(lines):
        return ""
    at, line = lines[int(number)]
    return f"Line {at} (“{line[:SHOWN_CHARS]}”)"

"""Read a page as a person does, and write down what it says, character by character.

A mark in the text ("U+202E right-to-left override, 2 times") stands for characters; everything else
stands for itself. Nothing but the page's visible text is used.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

MARK = re.compile(r"U\+([0-9A-F]{4,6}) [^,]*(?:, (\d+) times)?")
COUNTED = re.compile(r"(\d+) (spaces?|empty lines)")
VOID = {"input", "img", "link", "meta", "br", "hr", "use", "path"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    @property
    def is_mark(self) -> bool:
        return self.tag == "span" and "hid" in (self.attributes.get("class") or "").split()

    def text(self) -> str:
        """What the element says, its marks put back into characters."""
        said = "".join(one if isinstance(one, str) else one.text() for one in self.children)
        return unmarked(said) if self.is_mark else said

    def find(self, attribute: str, value: str) -> Element | None:
        """The first element below with this attribute."""
        for one in self.children:
            if isinstance(one, Element):
                if one.attributes.get(attribute) == value:
                    return one
                if found := one.find(attribute, value):
                    return found
        return None

    def find_tag(self, tag: str) -> Element:
        """The first element of this kind below."""
        for one in self.children:
            if isinstance(one, Element):
                if one.tag == tag:
                    return one
                with suppress(LookupError):
                    return one.find_tag(tag)
        raise LookupError(f"there is no {tag}")


def unmarked(mark: str) -> str:
    """The characters that a mark stands for."""
    if counted := COUNTED.fullmatch(mark):
        return (" " if counted[2].startswith("space") else "\n") * int(counted[1])
    code = MARK.fullmatch(mark)
    assert code, f"no mark of ours: {mark!r}"
    return chr(int(code[1], 16)) * int(code[2] or 1)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, dict(attrs))
        self.open[-1].children.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while len(self.open) > 1 and self.open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def page_of(html: str) -> Element:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


def unrender(html: str, digest: str) -> Any:
    """Return the arguments of that digest as the page shows them."""
    found = page_of(html).find("data-arguments", digest)
    assert found, "the page does not hold these arguments"
    return json.loads(found.text())

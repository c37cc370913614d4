"""Reads a page as a browser would and says where stored text became more than text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.support.payloads import MARKER, PAYLOADS, markers

# Attributes that are words for people, and what a form sends. Nothing runs or loads these.
WORDS = {"value", "title", "alt", "placeholder", "aria-label", "datetime", "label"}
PLACES = {
    "href",
    "src",
    "action",
    "formaction",
    "srcset",
    "poster",
    "data",
    "ping",
    "xlink:href",
    "hx-get",
}
MARKUP = {one for one in PAYLOADS if re.search(r"<|&[#\w]+;", one)}
OURS = re.compile(r"(/(?!/)|[#?]|\.\./|$)")
NEVER = {"object", "embed", "applet", "base", "frame", "frameset", "portal", "marquee", "plaintext"}


def unescaped(page: str) -> set[str]:
    """Return the payloads that stand in the page's source as they are, though they are markup."""
    found = set()
    for hit in MARKER.finditer(page):
        payload = PAYLOADS[int(hit[0][3:-1])]
        start = hit.start() - payload.find(hit[0].lower())
        if payload in MARKUP and page.startswith(payload, start):
            found.add(payload)
    return found


class Inert(HTMLParser):
    """`shown`: the markers of payloads that stand there as text. `wrong`: what is not inert."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: set[str] = set()
        self.wrong = [f"not escaped: {one!r}" for one in unescaped(page)]
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in ("script", "style") else ""
        if tag in NEVER or markers(tag):
            self.wrong.append(f"<{tag}>")
        if tag == "iframe" and dict(attrs).get("sandbox", "none"):
            self.wrong.append("a frame without a sandbox, or with a hole in it")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name in PLACES and not OURS.match(value):
            self.wrong.append(f"<{tag} {name}={value[:80]!r}>")
        if markers(name) or name.startswith("on"):
            self.wrong.append(f"<{tag} {name}=…>")
        if not markers(value):
            return
        if (tag, name) == ("iframe", "srcdoc"):
            framed = Inert(value)
            self.shown |= framed.shown
            self.wrong += [f"in a frame: {one}" for one in framed.wrong]
            return
        self.shown |= markers(value)
        if name not in WORDS and name not in PLACES:
            self.wrong.append(f"<{tag} {name}={value[:80]!r}>")

    def handle_data(self, data: str) -> None:
        if self._inside and markers(data):
            self.wrong.append(f"in <{self._inside}>: {data[:80]!r}")
        self.shown |= markers(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_comment(self, data: str) -> None:
        if markers(data):
            self.wrong.append(f"in a comment: {data[:80]!r}")

    def handle_decl(self, decl: str) -> None:
        if markers(decl):
            self.wrong.append(f"<!{decl[:80]}>")

    def unknown_decl(self, data: str) -> None:
        if markers(data):
            self.wrong.append(f"<![{data[:80]}]>")

    def handle_pi(self, data: str) -> None:
        if markers(data):
            self.wrong.append(f"<?{data[:80]}>")

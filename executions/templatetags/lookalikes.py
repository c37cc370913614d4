"""Characters that look like others, found as Unicode's report 39 does, as far as names tell.

Found are: letters of a second script inside one word; words in letters of another script that all
look Latin, in a text that is otherwise Latin; letters, digits and signs that stand for ASCII ones
(full width, mathematical, Kelvin); accents put onto a letter that has one of its own.

Not found are look-alikes inside one script: "rn" for "m", "l" for "I", dotless "i", phonetic
letters; and whole words of a script in a text that uses that script properly, too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_SCRIPTS = frozenset(
    (
        *("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "HEBREW", "ARABIC", "CHEROKEE", "COPTIC"),
        *("GEORGIAN", "LISU", "DESERET", "THAI", "DEVANAGARI", "ETHIOPIC", "TIFINAGH", "OSAGE"),
    )
)
"""Those of East Asia are left out: they are written together, and with Latin letters."""

# Letters that cannot be told from Latin ones in most fonts: Cyrillic, Greek, Armenian.
_LOOK_LATIN = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u04cf"
    "\u0475\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u0423\u04ae\u051a\u051c\u0417"
    "\u03bf\u03bd\u03b9\u03ba\u03c1\u03c5\u03c7\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c"
    "\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0570\u0585\u057d\u0578\u0581\u0566"
)
_ALL_LOOK_LATIN = frozenset({"CHEROKEE", "LISU", "DESERET", "COPTIC"})
# Signs that a reader takes for a slash, a dot, a colon or an @ when they stand between letters.
_SIGNS = frozenset(
    "\u2044\u2215\u29f8\uff0f\u2571\u2024\uff0e\uff61\u3002\ua789\u02d0\uff1a\ufe55\uff20\ufe6b\u01c3\uff0d"
)
_ASCII_FORMS = ("<font>", "<wide>", "<circle>")


def positions(text: str) -> frozenset[int]:
    """Return where look-alikes stand in `text`."""
    if text.isascii():
        return frozenset()
    letters = set(text)
    found: set[int] = set()
    if any(_may_be_single(char) for char in letters):
        found.update(_singles(text))
    if len({_script(char) for char in letters} - {""}) > 1:
        proper = {_script(char) for char in letters - _LOOK_LATIN} - _ALL_LOOK_LATIN
        for word in _WORD.finditer(text):
            if not word.group().isascii():
                found.update(word.start() + at for at in _in_word(word.group(), proper))
    return frozenset(found)


def _in_word(word: str, proper: set[str]) -> Iterator[int]:
    """Return the letters of a word's lesser scripts; or all of them, when the word only looks Latin
    beside Latin ones. `proper`: the scripts that the text surely uses."""
    letters = Counter(filter(None, map(_script, word)))
    if len(letters) > 1:
        main = max(letters, key=lambda one: (letters[one], one == "LATIN"))
        yield from (at for at, char in enumerate(word) if _script(char) not in ("", main))
    elif "LATIN" in proper and not letters.keys() <= proper:
        yield from (at for at, char in enumerate(word) if _script(char))


def _singles(text: str) -> Iterator[int]:
    """Return the characters that stand for another one, alone or by what they stand beside."""
    for at, char in enumerate(text):
        if char.isascii():
            continue
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        is_sign = char in _SIGNS and (before + after).isascii()
        is_accent = bool(before) and bool(unicodedata.combining(char))
        if (
            _stands_for_another(char)
            or (is_sign and before.isalnum() and after.isalnum())
            or (is_accent and len(unicodedata.normalize("NFC", before + char)) == 1)
        ):
            yield at


def _may_be_single(char: str) -> bool:
    return not char.isascii() and (
        char in _SIGNS or bool(unicodedata.combining(char)) or _stands_for_another(char)
    )


@lru_cache(maxsize=4096)
def _stands_for_another(char: str) -> bool:
    if char in _SIGNS:
        return False
    same = unicodedata.normalize("NFC", char)
    if same != char and len(same) == 1:
        return True
    plain = unicodedata.normalize("NFKC", char)
    form = unicodedata.decomposition(char).partition(" ")[0]
    return form in _ASCII_FORMS and len(plain) == 1 and plain.isascii() and plain.isalnum()


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    """Return the script of a letter; empty for what every script uses, and for those that mix."""
    if not char.isalpha():
        return ""
    name = unicodedata.name(char, "").partition(" ")[0]
    return name if name in _SCRIPTS else ""


def host_in_words(host: str) -> str:
    """Return how some programs show a host name of letters beyond ASCII, and of which scripts they
    are; empty for a plain one."""
    labels = [_decoded(label) for label in host.split(".")]
    shown = ".".join(labels)
    if shown.isascii():
        return ""
    names = (
        unicodedata.name(char, "unknown").partition(" ")[0] for char in shown if char.isalpha()
    )
    scripts = ", ".join(dict.fromkeys(name.capitalize() for name in names))
    return f"{shown} (letters: {scripts})"


def _decoded(label: str) -> str:
    if not label.lower().startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except ValueError:
        return label

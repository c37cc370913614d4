"""Characters that look like others are shown with their code and name."""
# ruff: noqa: RUF001 - look-alikes are what this is about

from __future__ import annotations

import pytest

from executions.templatetags.lookalikes import host_in_words, positions
from executions.templatetags.show import lookalikes, visible, visible_lines
from executions.templatetags.visible import pieces


def marks(text: str) -> list[str]:
    return [one.mark for one in pieces(text, lines=True) if one.is_twin]


def found(text: str) -> str:
    return "".join(text[at] for at in sorted(positions(text)))


@pytest.mark.parametrize(
    ("text", "twins"),
    [
        ("p\u0430ypal", "\u0430"),  # one Cyrillic letter in a Latin word
        ("Pay \u0440\u0430\u0443\u0440\u0430 now", "\u0440\u0430\u0443\u0440\u0430"),
        ("micr\u03bfsoft", "\u03bf"),  # Greek
        ("\u0421\u0431epбанк", "ep"),  # two Latin letters in a Cyrillic word
        ("\u13a2\u13aa bank", "\u13a2\u13aa"),  # Cherokee beside Latin
        ("\uff41pple", "\uff41"),  # full width
        ("\U0001d429ay", "\U0001d429"),  # mathematical
        ("300 \u212a", "\u212a"),  # the sign for kelvin
        ("bank.example\u2215login", "\u2215"),  # a slash that divides no path
        ("ana\uff20bank.example", "\uff20"),
        ("bank\uff0eexample", "\uff0e"),
        ("cafe\u0301", "\u0301"),  # an accent beside its letter, where one letter has it
    ],
)
def test_a_look_alike_is_found(text: str, twins: str) -> None:
    assert found(text) == twins


@pytest.mark.parametrize(
    "text",
    [
        "Dvořák, Ørsted, Ærø, İstanbul, naïve café",
        "Он сказал: \u0430 \u0441\u043e\u0441 - это \u0430\u0440. Contact Acme Ltd.",
        "Καλημέρα, ο οίκος",
        "株式会社東京 ABC テスト、漢字：ひらがな。株式会社",
        "한국어 text",
        "شركة النقل",
        "10 m², 5 µm, №7, 1ª",
        "“quoted” — dashed… e\u2011mail",
        "plain text",
    ],
)
def test_proper_writing_is_left_alone(text: str) -> None:
    assert found(text) == ""
    assert lookalikes({"a": [text]}) == 0


def test_forty_look_alikes_of_one_recipient_are_all_marked() -> None:
    name = "ana.duarte@marlowe-shipping.example"
    twins = {"a": "\u0430", "e": "\u0435", "o": "\u043e", "p": "\u0440", "i": "\u0456"}
    made = [
        name[:at] + twin + name[at + 1 :]
        for at, char in enumerate(name)
        if (twin := twins.get(char))
    ]
    wide = ((at, chr(ord(char) - 0x20 + 0xFF00)) for at, char in enumerate(name))
    made += [name[:at] + char + name[at + 1 :] for at, char in wide]
    assert len(made) >= 40
    assert [one for one in made if len(marks(one)) != 1] == []


def test_the_mark_tells_code_and_name() -> None:
    assert marks("p\u0430ypal") == ["U+0430 cyrillic small letter a"]
    assert '<span class="hid twin">U+0430 cyrillic small letter a</span>' in visible("p\u0430ypal")


def test_spaces_before_a_line_break_are_counted() -> None:
    assert "2 spaces" in visible_lines("a  \nb")
    assert "space" not in visible_lines("a b\nc").replace('class="', "")


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("bank.example", ""),
        ("xn--80ak6aa92e.com", "аррӏе.com (letters: Cyrillic, Latin)"),
        ("b\u00fccher.example", "bücher.example (letters: Latin)"),
        ("xn--\u00e9", "xn--é (letters: Latin)"),
        ("xn--.example", ""),
        ("", ""),
    ],
)
def test_a_host_says_how_it_is_shown_elsewhere(host: str, told: str) -> None:
    assert host_in_words(host) == told

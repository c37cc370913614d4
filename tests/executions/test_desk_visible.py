from __future__ import annotations

import unicodedata

import pytest
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from executions.templatetags.show import hidden, visible, visible_lines
from executions.templatetags.visible import Piece, hidden_count, pieces

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=60)
NASTY = st.text(st.sampled_from("ab \n\t\r\x00\x1b\u200b\u202e\u2066\ufe0f\u3164\u00ad\u00a0"))


@given(st.one_of(ANY_TEXT, NASTY), st.booleans())
def test_what_is_shown_determines_the_text(text: str, lines: bool) -> None:
    assert "".join(piece.source for piece in pieces(text, lines=lines)) == text


@given(st.one_of(ANY_TEXT, NASTY))
def test_nothing_that_hides_reaches_the_page_unmarked(text: str) -> None:
    shown = "".join(piece.source for piece in pieces(text, lines=False) if not piece.mark)
    assert hidden_count(shown) == 0
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(NASTY)
def test_two_texts_that_look_alike_are_one(text: str) -> None:
    """What is shown of a text, marks included, belongs to no other text of the same length."""
    shown = [piece.mark or piece.source for piece in pieces(text, lines=True)]
    stripped = text.translate({ord(char): None for char in "\u200b\u202e\u2066\ufe0f\u3164\u00ad"})
    if stripped != text:
        assert shown != [piece.mark or piece.source for piece in pieces(stripped, lines=True)]


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("ab\u202ecd", "U+202E right-to-left override"),
        ("ab\u200b\u200b\u200bcd", "U+200B zero width space, 3 times"),
        ("ab\x1bcd", "U+001B unnamed"),
        ("ab\rcd", "U+000D carriage return"),
        ("ab\u3164cd", "U+3164 hangul filler"),
        ("ab\ufe0fcd", "U+FE0F variation selector-16"),
        ("ab\U000e0041cd", "U+E0041 tag latin capital letter a"),
        ("ab\u00a0cd", "U+00A0 no-break space"),
        ("ab\ud800cd", "U+D800 unnamed"),
        (f"ab{' ' * 312}cd", "312 spaces"),
        (f"ab{chr(10) * 500}cd", "499 empty lines"),
    ],
)
def test_a_character_that_hides_becomes_a_mark_with_its_name(text: str, mark: str) -> None:
    found = list(pieces(text, lines=True))
    assert [piece.mark for piece in found if piece.mark] == [mark]
    assert found[0] == Piece("ab")
    assert found[-1].source.strip("\n") == "cd"


def test_a_line_break_in_one_line_is_marked() -> None:
    assert "line break" in visible("Subject\nBcc: somebody")
    assert "line break" not in visible_lines("Subject\nBcc: somebody")


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"onload="x', "&amp;", "{{ x }}"])
def test_markup_in_stored_text_stays_text(text: str) -> None:
    assert escape(text) in visible(text)
    assert "<script" not in visible_lines(text)


def test_words_of_other_scripts_are_shown_as_they_are() -> None:
    text = "Dvořák, 株式会社, شركة, Ωμέγα"
    assert text in visible(text)


def test_hidden_characters_are_counted_through_a_whole_value() -> None:
    assert hidden({"a\u200b": ["b\u202e", {"c": "d\x00"}], "e": 7, "f": None}) == 3
    assert hidden("two\nlines\tof text") == 0

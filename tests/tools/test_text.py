# ruff: noqa: RUF001  names in several scripts are the point here
from __future__ import annotations

import pytest

from tools.text import address, hidden_characters, line, paragraphs, phone


@pytest.mark.parametrize(
    "text", ["a\nb", "a\rb", "a\tb", "a\u202eb", "a\u200bb", "a\u2028b", "a\x1bb", "a\U000e0041b"]
)
def test_a_line_holds_nothing_that_hides_or_breaks_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"U\+"):
        line(text)


@pytest.mark.parametrize("text", ["", " ", "\u00a0"])
def test_a_line_is_not_blank(text: str) -> None:
    with pytest.raises(ValueError, match="blank"):
        line(text)


@pytest.mark.parametrize(
    "text", ["Świętokrzyskie", "Αιγαίο", "Черноморска", "東京", "O’Dálaigh & Sons"]
)
def test_a_line_may_be_in_any_script(text: str) -> None:
    assert line(text) == text


def test_paragraphs_may_break_lines_and_join_letters_but_not_reorder_them() -> None:
    for text in ("a\n\n\tb", "می‌خواهم", "👨‍👩‍👧"):
        assert paragraphs(text) == text
    for text in ("a\rb", "a\u202eb", "a\x00b", "a\u200bb"):
        with pytest.raises(ValueError, match=r"U\+"):
            paragraphs(text)


def test_hidden_characters_are_named_each_once() -> None:
    assert hidden_characters("a\u202eb\u200bc\u202e") == ["U+200B", "U+202E"]


@pytest.mark.parametrize(
    "text",
    ["ana@example.org", "a.b+c@sub.example.org", "x_1@a-b.example", "q@xn--mller-kva.example"],
)
def test_plain_addresses_pass(text: str) -> None:
    assert address(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "ana@",
        "@example.org",
        "ana@localhost",
        "ana@example..org",
        "ana@-example.org",
        ".ana@example.org",
        "ana.@example.org",
        "a..b@example.org",
        "ana@example.org ",
        " ana@example.org",
        "ana@example.org\n",
        "ana@example.org\r\nBcc: eve@example.org",
        "ana@example.org\nBcc: eve@example.org",
        "ana@example.org,eve@example.org",
        "ana@example.org;eve@example.org",
        "Ana <ana@example.org>",
        "<ana@example.org>",
        '"ana eve"@example.org',
        "ana@[127.0.0.1]",
        "ana@exam ple.org",
        "ana@example.org%0aBcc:eve@example.org",
        "anа@example.org",
        "ana@exаmple.org",
        "ana@müller.example",
        "ana@example.org\u200b",
        "ana\x00@example.org",
        "ana@example.org\x00",
        "ana\u202e@example.org",
        "ana@@example.org",
        "a@b@example.org",
        "ana@example.org>",
        "ana(comment)@example.org",
        "x" * 250 + "@example.org",
    ],
)
def test_anything_else_than_one_plain_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="plain e-mail address"):
        address(text)


def test_telephone_numbers_are_digits_and_their_usual_company() -> None:
    for good in ("+31 20 555 0101", "0596 555 018", "(030) 555-01/22"):
        assert phone(good) == good
    for bad in ("", "call me", "+31\n20 555", "12", "+", "٠١٢٣٤٥٦"):
        with pytest.raises(ValueError, match="telephone"):
            phone(bad)

"""Whatever an LLM or a tool returns can be stored (I16). PostgreSQL itself is asked in
tests/executions/test_storage.py."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executions.core import storable
from executions.core.storable import DEPTH, ITEMS, TEXT_CHARS, TOTAL_CHARS

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=40)  # surrogates too
ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=9) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)
QUICK = settings(max_examples=80, deadline=None, database=None)


class Colour(Enum):
    RED = "red"


class Wordless:
    def __str__(self) -> str:
        raise RuntimeError


@QUICK
@given(ANY_TEXT)
def test_any_text_becomes_text_that_utf8_can_hold(given: str) -> None:
    clean = storable.text(given)
    assert "\0" not in clean
    clean.encode()
    assert len(clean) == len(given)


@QUICK
@given(ANY_VALUE)
def test_any_value_becomes_strict_json_and_stays_as_it_is_then(given: Any) -> None:
    clean = storable.value(given)
    written = json.dumps(clean, allow_nan=False, ensure_ascii=False)
    written.encode()
    assert "\\u0000" not in written
    assert storable.value(clean) == clean


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("nul \0 here", "nul \ufffd here"),
        ("half \ud83d", "half \ufffd"),
        ("whole \U0001f600", "whole \U0001f600"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (1e20, 10**20),
        (-0.0, 0.0),
        (Decimal("0.10"), "0.10"),
        (10**18, 10**18),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00+00:00"),
        (date(2026, 3, 1), "2026-03-01"),
        (timedelta(minutes=1), "0:01:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\xff\0", "base64:/wA="),
        (Colour.RED, "red"),
        (Wordless(), "<Wordless>"),
        ((1, [2]), [1, [2]]),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "(1, 2)": "c"}),
        ({Wordless(): 1, 10**5000: 2}, {"<Wordless>": 1, "<int>": 2}),
    ],
    ids=lambda given: str(type(given).__name__),
)
def test_each_kind_of_value_has_its_form(given: Any, stored: Any) -> None:
    assert storable.value(given) == stored


def test_keys_that_cleaning_makes_equal_are_both_kept() -> None:
    assert sorted(storable.value({"a\0": 1, "a\ufffd": 2}).values()) == [1, 2]


def test_a_number_of_thousands_of_digits_is_shown_shortened() -> None:
    shown = storable.value(10**4000)
    assert shown.startswith("0x")
    assert len(shown) < 1200
    assert len(storable.value(Decimal("1" * 4000))) < 1200


def test_a_ten_megabyte_text_is_cut_and_says_what_it_was() -> None:
    given = "x" * 10_000_000
    kept = storable.value(given)
    assert kept.startswith("x" * TEXT_CHARS)
    assert "10000000 characters in all" in kept
    assert hashlib.sha256(given.encode()).hexdigest() in kept


def test_many_long_texts_are_cut_together() -> None:
    kept = storable.value(["x" * TEXT_CHARS] * 100)
    assert len(kept) == 100
    assert sum(map(len, kept)) < TOTAL_CHARS + 100 * 200


def test_a_huge_list_and_a_huge_mapping_are_cut() -> None:
    many = storable.value(list(range(ITEMS * 2)))
    assert len(many) <= ITEMS
    assert "more items" in many[-1]
    wide = storable.value({str(key): key for key in range(ITEMS * 2)})
    assert len(wide) <= ITEMS
    assert "more keys" in wide["[cut]"]


def test_a_bottomless_value_is_cut() -> None:
    bottomless: list[Any] = []
    bottomless.extend([bottomless, bottomless])
    written = json.dumps(storable.value(bottomless))
    assert "cut: too deep or too large" in written
    deep: Any = "end"
    for _ in range(DEPTH * 100):
        deep = [deep]
    assert "end" not in json.dumps(storable.value(deep))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ('{"a": NaN}', "NaN is not JSON"),
        ("[Infinity]", "Infinity is not JSON"),
        ("[1e400]", "1e400 is too large"),
        ("[-1e400]", "-1e400 is too large"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ("[" * 100_000, "nested too deeply"),
        ("{'a': 1}", "Expecting property name"),
        ("", "Expecting value"),
        ('{"a": 1', "Expecting"),
    ],
)
def test_arguments_that_are_not_strict_json_are_refused(raw: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        storable.parse(raw)


def test_strict_json_is_read() -> None:
    assert storable.parse('{"a": [1, 2.5, null, "\\ud83d\\ude00"]}') == {"a": [1, 2.5, None, "😀"]}

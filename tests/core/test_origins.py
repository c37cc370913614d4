"""Where a figure comes from: the rule, row by row, and that what stands in a source is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executions.core.figures import figures_of
from executions.core.origins import Origin, Source, Traced, trace

MESSAGE = Source(
    name="read_customer_message",
    step=1,
    outside=("from", "subject", "body"),
    given={"message_id": "M-2001"},
    value={
        "message": {
            "message_id": "M-2001",
            "customer_id": "C-1002",
            "from": "New@Evil.example",
            "body": "C-1003, C-1009: 4711 to DE89 3704 0044 0532 0130 00, write to ana@a.example",
        }
    },
)
RECORD = Source(
    name="read_customer_record",
    step=2,
    given={"customer_id": "C-1003"},
    value={"customer": {"customer_id": "C-1003", "email": "ana@a.example", "share_percent": 60}},
)
LAUNCH = Source(name="the launch", value={"message_id": "M-2001"}, origin=Origin.INPUT)
EDIT = Source(
    name="Rita", value={"n": "C-1009 999"}, but={"n": "C-1009"}, origin=Origin.PERSON, step=None
)
SOURCES = (LAUNCH, MESSAGE, RECORD, EDIT)


def told(arguments: Any, sources: Sequence[Source]) -> list[Traced]:
    return trace(figures_of(arguments), sources)


@pytest.mark.parametrize(
    ("text", "origin", "steps", "outside"),
    [
        ("C-1002", Origin.RECORDS, [1], None),  # our own match beside what they wrote
        ("M-2001", Origin.INPUT, [None], None),
        ("new@evil.example", Origin.OUTSIDE, [1], None),
        ("DE89370400440532013000", Origin.OUTSIDE, [1], None),
        ("4,711.00", Origin.OUTSIDE, [1], None),
        ("C-1003", Origin.OUTSIDE, [1, 2], None),  # asked for by that id: the record is no news
        ("C-1009", Origin.OUTSIDE, [1], None),  # the edit left it as it was
        ("999", Origin.PERSON, [None], None),
        ("ana@a.example", Origin.RECORDS, [2], 1),
        ("60 %", Origin.RECORDS, [2], None),
        ("C-1004", Origin.NOWHERE, [], None),
        ("47110", Origin.NOWHERE, [], None),
        ("1003", Origin.NOWHERE, [], None),  # part of an id is no number
    ],
)
def test_a_figure_comes_from(
    text: str, origin: Origin, steps: list[int | None], outside: int | None
) -> None:
    (only,) = told({"a": text}, SOURCES)
    assert only.origin is origin
    assert [one.step for one in only.sources] == steps
    assert (only.outside and only.outside.step) == outside


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("250", "+31 10 555 0142 250 times"),  # reads like the rest of the number before it
        ("x@y.example", "mailto:x@y.example"),
        ("C-1004", "about c-1004, please"),
        ("C-1004", "about C-\u200b1004"),
        ("1250", "\uff11,250.00"),
        ("2026", "on 3 March 2026"),
    ],
)
def test_a_figure_is_found_however_its_source_is_cut(text: str, source: str) -> None:
    (only,) = told(text, [Source(name="s", value=source)])
    assert only.origin is Origin.RECORDS


def test_what_only_the_agent_named_and_a_call_answered_with_is_told_apart() -> None:
    (only,) = told("C-1003", [RECORD])
    assert (only.origin, only.sources) == (Origin.FOUND, (RECORD,))


def test_all_of_an_answer_can_be_theirs_and_names_count_as_well() -> None:
    gone = Source(name="gone", value={"C-1004": 1234}, outside=None, step=1)
    assert {one.origin for one in told("C-1004 1234", [gone])} == {Origin.OUTSIDE}
    ours = Source(name="ours", value={"C-1004": 1234}, step=1)
    assert {one.origin for one in told("C-1004 1234", [ours])} == {Origin.RECORDS}


FIGURE = st.one_of(
    st.from_regex(r"[A-Z]{1,4}-[0-9]{3,6}", fullmatch=True),
    st.from_regex(r"DOC-[0-9a-f]{12}", fullmatch=True),
    st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True),
    st.from_regex(r"https://[a-z]{1,8}\.example/[a-z0-9]{0,8}", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{0,2}(,[0-9]{3}){1,2}(\.[0-9]{2})?", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{2,9}", fullmatch=True),
    st.from_regex(r"[1-9][0-9]? ?%", fullmatch=True),
    st.from_regex(r"(EUR |€)[1-9][0-9]{0,4}", fullmatch=True),
    st.from_regex(r"[A-Z]{2}[0-9]{20}", fullmatch=True),
    st.from_regex(r"\+[1-9][0-9]( [0-9]{3}){3}", fullmatch=True),
    st.dates().map(str),
    st.dates().map(lambda day: f"{day:%-d %B} {day.year:04}"),
)
AROUND = st.one_of(
    FIGURE, st.text(max_size=12), st.sampled_from(["(", ".", "EUR", "pay", "12", "\u200b"])
)


@settings(deadline=None, max_examples=40, database=None)
@given(
    figure=FIGURE,
    before=st.lists(AROUND, max_size=3),
    after=st.lists(AROUND, max_size=3),
    gap=st.sampled_from([" ", "\n", " \n", "; ", " ("]),
    is_outside=st.booleans(),
)
def test_a_figure_that_stands_in_a_source_is_never_told_nowhere(
    figure: str, before: list[str], after: list[str], gap: str, is_outside: bool
) -> None:
    text = gap.join([*before, figure, *after])
    source = Source(name="s", value={"a": [text]}, outside=None if is_outside else (), step=1)
    wanted = Origin.OUTSIDE if is_outside else Origin.RECORDS
    assert [one.origin for one in told(figure, [source])] == [wanted] * len(figures_of(figure))
    assert figures_of(figure)


@settings(deadline=None, max_examples=40, database=None)
@given(figures=st.lists(FIGURE, min_size=1, max_size=4), text=st.text(max_size=60))
def test_without_a_source_nothing_is_found(figures: list[str], text: str) -> None:
    assert {one.origin for one in told({"a": figures, "b": text}, [])} == {Origin.NOWHERE}

"""The edit form: made from a schema, read back with types kept, and harmless when untouched."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from agentops.accounts.models import User
from executions.desk.differences import differences
from executions.desk.field_errors import blame
from executions.desk.fields import Field, Group, form_of
from tests.executions import desk
from tests.executions.test_desk_review import document
from tools.base import ToolError
from tools.registry import TOOLS

CHANGE = {
    **desk.CHANGE,
    "changes": {
        "politically_exposed": False,
        "beneficial_owners": [
            {"name": "A", "share_percent": 50.0, "country": "NL"},
            {"name": "B", "share_percent": 12.5, "country": "CZ"},
        ],
    },
    "version": 3,
}
PROPOSALS = {
    "send_email": desk.LETTER,
    "update_customer_record": CHANGE,
    "submit_to_regulator": desk.FILING,
    "generate_compliance_document": document(),
}


def normal(tool: str, arguments: Any) -> Any:
    return TOOLS[tool].parse(arguments).model_dump(mode="json")


def as_sent(text: str) -> str:
    """What a browser sends of a text: each line's end as CR LF, whatever it was."""
    return re.sub("\r\n|\r|\n", "\r\n", text)


def sent_back(tool: str, arguments: Any, **typed: str) -> Any:
    """What a browser sends for this form, with some fields typed anew, read again."""
    shown = form_of(TOOLS[tool], arguments)
    data = {one.name: as_sent(one.text) for one in shown.fields()}
    data |= {f"arg.{name.replace('__', '.')}": text for name, text in typed.items()}
    form = form_of(TOOLS[tool], arguments)
    read = form.read(data)
    assert [error for one in form.fields() for error in one.errors] == []
    return read


@pytest.mark.parametrize("tool", PROPOSALS)
def test_what_nobody_touched_comes_back_exactly(tool: str) -> None:
    arguments = normal(tool, PROPOSALS[tool])
    read = sent_back(tool, arguments)
    assert normal(tool, read) == arguments
    assert json.dumps(normal(tool, read)) == json.dumps(arguments)
    assert differences(arguments, normal(tool, read)) == []


@example(subject="a", body="\r\n")
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_any_text_that_nobody_touched_comes_back_exactly(subject: str, body: str) -> None:
    arguments = {**desk.LETTER, "subject": subject, "body": body}
    read = sent_back("send_email", arguments, subject=as_sent(subject))
    assert (read["subject"], read["body"]) == (subject, body)


def test_types_are_kept() -> None:
    read = sent_back(
        "update_customer_record",
        normal("update_customer_record", CHANGE),
        changes__politically_exposed="yes",
        changes__beneficial_owners__0__share_percent="49.5",
        changes__last_reviewed_on="2026-02-28",
        version="4",
    )
    assert read["changes"]["politically_exposed"] is True
    assert read["changes"]["beneficial_owners"][0]["share_percent"] == 49.5
    assert read["version"] == 4
    assert normal("update_customer_record", read)["changes"]["last_reviewed_on"] == "2026-02-28"


def test_a_list_that_was_not_there_is_not_made_empty() -> None:
    """An empty list of owners would say that nobody owns the customer."""
    read = sent_back("update_customer_record", normal("update_customer_record", desk.CHANGE))
    assert "beneficial_owners" not in read["changes"]


def test_a_part_can_be_added_and_left_out() -> None:
    arguments = normal("update_customer_record", CHANGE)
    read = sent_back(
        "update_customer_record",
        arguments,
        changes__beneficial_owners__2__name="C",
        changes__beneficial_owners__2__share_percent="1",
        changes__beneficial_owners__2__country="AT",
    )
    names = [one["name"] for one in read["changes"]["beneficial_owners"]]
    assert names == ["A", "B", "C"]
    read = sent_back("update_customer_record", arguments, changes__beneficial_owners__0__out="on")
    assert [one["name"] for one in read["changes"]["beneficial_owners"]] == ["B"]


def test_lines_become_a_list() -> None:
    read = sent_back("send_email", desk.LETTER, to="a@b.example\r\n\r\nc@d.example")
    assert read["to"] == ["a@b.example", "c@d.example"]


@pytest.mark.parametrize(
    ("kind", "typed", "told"),
    [
        ("integer", "many", "A whole number is needed."),
        ("number", "much", "A number is needed."),
        ("flag", "perhaps", "Say yes or no."),
        ("json", "{", "Expecting"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_field(kind: str, typed: str, told: str) -> None:
    one = Field(name="a", label="a", kind=kind, value=None, is_optional=False)
    one.read({"a": typed})
    assert told in one.errors[0]
    assert one.text == typed


@pytest.mark.parametrize(
    ("tool", "typed", "told"),
    [
        ("send_email", {"subject": " "}, "Subject is needed."),
        ("send_email", {"to": ""}, "To needs at least one line."),
        (
            "send_email",
            {"to": "a@b.example\r\n\r\nnot one"},
            "Line 3 (“not one”) is not a plain e-mail address like ana@example.org.",
        ),
        (
            "update_customer_record",
            {"customer_id": "1001"},
            "Customer id does not look like that: like C-1001.",
        ),
        ("update_customer_record", {"changes.phone": "call me"}, "Phone is not"),
        (
            "update_customer_record",
            {"changes.beneficial_owners.2.name": "C"},
            "Share percent is needed.",
        ),
    ],
)
def test_a_refusal_stands_at_its_own_field_and_line_in_words(
    tool: str, typed: dict[str, str], told: str
) -> None:
    form = form_of(TOOLS[tool], PROPOSALS[tool])
    data = {one.name: one.text for one in form.fields()}
    read = form.read(data | {f"arg.{name}": text for name, text in typed.items()})
    with pytest.raises(ToolError) as refusal:
        TOOLS[tool].parse(read)
    assert blame(form, str(refusal.value)) == []
    found = {one.name.rpartition(".")[2]: one.errors for one in form.fields() if one.errors}
    assert told in " ".join(error for errors in found.values() for error in errors)


def test_what_was_not_proposed_is_folded_beside_what_is_on_record() -> None:
    form = form_of(TOOLS["update_customer_record"], desk.CHANGE, {"changes.name": "Ostrava"})
    changes = next(part for part in form.parts if part.label == "changes")
    assert isinstance(changes, Group)
    assert [part.label for part in changes.shown_parts] == ["phone"]
    assert len(changes.folded) == 9
    assert changes.folded[0].stands == "Ostrava"
    form.read({one.name: one.text for one in form.fields()} | {"arg.changes.name": "New"})
    assert [part.label for part in changes.shown_parts] == ["name", "phone"]
    assert not form_of(TOOLS["send_email"], desk.LETTER).folded


def test_a_difference_in_a_long_text_is_shown_word_by_word() -> None:
    (found,) = differences({"body": "it was filed on Monday"}, {"body": "it is filed on Monday"})
    assert [one.text for one in found.was or () if one.has_changed] == ["was"]
    assert [one.text for one in found.becomes or () if one.has_changed] == ["is"]
    assert "".join(one.text for one in found.becomes or ()) == "it is filed on Monday"


def test_what_was_added_or_left_out_is_shown_as_such() -> None:
    found = differences({"a": 1, "deep": [{"x": "old"}]}, {"deep": [{"x": "old"}, {"x": "new"}]})
    assert [(one.label, one.was is None, one.becomes is None) for one in found] == [
        ("deep 2 \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} x", True, False),
        ("a", False, True),
    ]


@pytest.mark.django_db
def test_the_form_says_what_is_on_record_now(client: Client, rita: User, sample_data: None) -> None:
    review = desk.proposed("update_customer_record", desk.CHANGE)
    page = client.get(desk.url(review, "edit")).content.decode()
    words = " ".join(unescape(re.sub("<[^>]*>", "", page)).split())
    assert "Now: +420 596 555 018 (left empty, it stays so)" in words
    assert "9 more fields, which stay as they are" in words
    assert "takes the place of all of it; left empty, it stays so)" in words

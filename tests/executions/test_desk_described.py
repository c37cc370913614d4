"""Tools without a template of their own: their arguments by the schema, their facts above."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import pytest
from django.test import Client
from pydantic import Field

from executions.desk.described import Row, described
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_review import shown
from tests.support.guide import examples
from tools.base import Effect, Tool, tool
from tools.registry import TOOLS
from tools.schemas import Arguments

pytestmark = pytest.mark.django_db


class Stay(Arguments):
    room: Annotated[str, Field(title="Room number")]
    nights: int = 1


@tool(effect=Effect.ONCE)
def book(
    *,
    arrival: Annotated[date, Field(description="the first night")],
    stays: list[Stay],
    board: Literal["none", "half", "full"] = "none",
    price: float | None = None,
    late: bool = False,
) -> str:
    """Book rooms."""
    return "booked"


ASKED: dict[str, Any] = {
    "late": True,
    "stays": [{"room": "12", "nights": 2}, {"room": "14"}],
    "arrival": "2026-12-24",
}


def rows(arguments: Any, of: Tool | None = book) -> dict[str, Row]:
    return {row.name: row for row in described(of, arguments)}


def test_rows_stand_in_the_order_of_the_schema_whatever_the_order_of_the_values() -> None:
    assert list(rows(ASKED)) == ["arrival", "stays", "board", "price", "late"]


def test_types_choices_and_days_are_told_in_words() -> None:
    found = rows(ASKED)
    assert (found["arrival"].kind, found["arrival"].hint) == ("day", "Thursday, 24 December 2026")
    assert found["board"].kind == "one of none, half, full"
    assert (found["late"].kind, found["late"].text) == ("yes or no", "yes")
    assert found["stays"].kind == "list"
    assert found["arrival"].help == "the first night"


def test_lists_of_groups_are_rows_of_rows_with_the_titles_their_author_gave() -> None:
    first = rows(ASKED)["stays"].rows[0]
    assert [(one.label, one.text) for one in first.rows] == [("Room number", "12"), ("nights", "2")]


def test_what_was_left_out_says_what_that_stands_for() -> None:
    found = rows(ASKED)
    assert (found["board"].text, found["board"].hint) == ("left out", "stands for none")
    assert (found["price"].text, found["price"].is_given) == ("left out", False)


@pytest.mark.parametrize(
    ("arguments", "name", "wrong"),
    [
        ({"arrival": 7}, "arrival", "not a text"),
        ({"board": "lots"}, "board", "none of the values it may have"),
        ({"late": "yes"}, "late", "not a yes or no"),
        ({"stays": {}}, "stays", "not a list"),
        ({"bribe": 5}, "bribe", "not in its schema"),
    ],
)
def test_what_does_not_fit_says_so(arguments: dict[str, Any], name: str, wrong: str) -> None:
    assert rows(arguments)[name].wrong == wrong


@pytest.mark.parametrize(
    "odd",
    [None, 7, "text", [], [[["deep"] * 50] * 50], {"": {"": [{}]}}, {"a": [None, True, 1e300]}],
)
def test_any_arguments_of_any_tool_have_their_rows(odd: Any) -> None:
    assert described(book, odd) is not None
    assert described(None, odd) is not None


def test_deep_and_huge_arguments_are_a_page_all_the_same(client: Client) -> None:
    desk.load_sample_data()
    client.force_login(factories.reviewer("rita"))
    deep: Any = "the end"
    for _ in range(50):
        deep = {"deeper": [deep]}
    page = shown(client, desk.proposed(arguments={"to": deep, "body": ["x" * 40] * 3000}))
    assert "the end" in page
    assert page.count("open before approving") == 2


def test_the_guides_preview_is_shown_without_a_template(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.load_sample_data()
    client.force_login(factories.person("ada", is_superuser=True))
    monkeypatch.setitem(TOOLS, "send_gift_card", examples()["send_gift_card"])
    review = desk.proposed("send_gift_card", {"customer_id": "C-1001", "euros": 50})
    page = shown(client, review)
    assert "Send Marlowe Shipping B.V. a gift card" in page
    assert "€50" in page
    assert "Send this gift card" in page
    assert "Value in euros" in page
    assert "stands for" in page


def test_a_preview_without_facts_is_shown_by_its_schema(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.load_sample_data()
    client.force_login(factories.person("ada", is_superuser=True))
    monkeypatch.setitem(TOOLS, "book", book)
    page = shown(client, desk.proposed("book", ASKED))
    assert "Thursday, 24 December 2026" in page
    assert "Room number" in page

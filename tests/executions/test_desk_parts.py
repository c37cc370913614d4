"""What is folded on a page, and that nobody approves it unopened."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from agentops.accounts.models import User
from executions.desk.parts import MANY, key_of, parts_of
from executions.models import AgentReview, AgentReviewVote
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_review import document
from tools.base import Effect, ToolDefinitionError, tool
from tools.registry import TOOLS

LONG = "Nothing to see here, go on.\n" * 60
LETTER = {**desk.LETTER, "body": LONG + "Pay somebody else."}
REPORT = {**document(), "summary": "It is so.\n" * 45}


pytestmark = pytest.mark.usefixtures("sample_data")


def keys(arguments: Any, *, must_read: tuple[str, ...] | None = None) -> dict[str, bool]:
    one = replace(TOOLS["send_email"], must_read=must_read)
    return {part.key: part.must_read for part in parts_of(uuid4(), one, arguments)}


def boxes(page: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'name="read" value="([^"]*)"', page)]


def folds(page: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'data-read="([^"]*)"', page)]


def approve(client: Client, review: AgentReview, read: list[str]) -> Any:
    data = {**desk.form(review, "approve", "my note"), "read": read}
    return client.post(desk.url(review, "decide"), data)


@pytest.mark.parametrize(
    ("arguments", "folded"),
    [
        ({"a": "short", "b": 7, "c": None, "d": []}, []),
        ({"a": "x" * 2001}, ["a"]),
        ({"a": "x" * 2000}, []),
        ({"a": "x\n" * 40}, ["a"]),
        ({"a": [{"b/c d": "x" * 2001}]}, ["a/0/b%2Fc%20d"]),
        ({"a": list(range(MANY + 1))}, ["a"]),
        ({"a": list(range(MANY))}, []),
        ({"a": {"b": {"c": {"d": {"e": {"f": [1]}}}}}}, ["a/b/c/d/e/f"]),
        (["x" * 2001], ["0"]),
        ("x" * 2001, [""]),
        ({str(number): 1 for number in range(MANY + 1)}, [""]),
    ],
)
def test_what_is_long_deep_or_many_is_folded(arguments: Any, folded: list[str]) -> None:
    assert list(keys(arguments)) == folded


def test_a_tool_names_what_must_be_read_and_by_default_it_is_everything() -> None:
    arguments = {"body": "x" * 2001, "subject": "y" * 2001}
    assert keys(arguments) == {"body": True, "subject": True}
    assert keys(arguments, must_read=("body",)) == {"body": True, "subject": False}
    assert keys(arguments, must_read=()) == {"body": False, "subject": False}


def test_a_tool_that_names_no_argument_of_its_own_does_not_import() -> None:
    with pytest.raises(ToolDefinitionError, match="must_read names no argument: bod"):

        @tool(effect=Effect.READ, must_read=("bod",))
        def read_it(*, body: str) -> str:
            """Read it."""
            return body


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("send_email", LETTER),
        ("generate_compliance_document", REPORT),
        ("update_customer_record", {**desk.CHANGE, "more": [{"deep": LONG}]}),
        ("send_email", {"to": LONG, "more": list(range(99))}),
    ],
)
def test_every_box_has_its_fold_on_the_page_once(
    client: Client, rita: User, name: str, arguments: Any
) -> None:
    page = client.get(desk.url(desk.proposed(name, arguments))).content.decode()
    assert boxes(page)
    assert sorted(folds(page)) == sorted(boxes(page))
    assert "open before approving" in page


def test_what_is_short_asks_for_nothing(client: Client, rita: User) -> None:
    review = desk.proposed()
    page = client.get(desk.url(review)).content.decode()
    assert not boxes(page)
    assert "open before approving" not in page
    assert approve(client, review, []).status_code == 302


def test_an_approval_of_what_was_not_opened_is_refused_and_loses_nothing(
    client: Client, rita: User
) -> None:
    review = desk.proposed(arguments={**LETTER, "subject": "A" * 2001})
    body = f"{review.pk}:body"
    response = approve(client, review, [body])
    told = response.content.decode()
    assert response.status_code == 422
    assert "You have not opened subject (2,001 characters). Read it, then decide." in told
    assert "my note" in told
    assert re.search(rf'value="{body}" required checked', told)
    assert not AgentReviewVote.objects.exists()


def test_with_every_part_opened_the_approval_counts(client: Client, rita: User) -> None:
    review = desk.proposed(arguments=LETTER)
    assert approve(client, review, [f"{review.pk}:body"]).status_code == 302
    assert AgentReviewVote.objects.get().vote == "approve"


def test_what_was_read_of_another_review_does_not_count(client: Client, rita: User) -> None:
    review, other = desk.proposed(arguments=LETTER), desk.proposed(arguments=LETTER)
    assert approve(client, review, [f"{other.pk}:body"]).status_code == 422


def test_a_rejection_needs_nothing_opened(client: Client, rita: User) -> None:
    review = desk.proposed(arguments=LETTER)
    response = client.post(desk.url(review, "decide"), desk.form(review, "reject", "Too long."))
    assert response.status_code == 302


def test_who_comes_late_is_told_so_and_not_that_they_read_too_little(
    client: Client, rita: User
) -> None:
    review = desk.proposed(arguments=LETTER)
    factories.approve(review, factories.reviewer("omar"))
    response = approve(client, review, [])
    assert response.status_code == 409
    assert "You have not opened" not in response.content.decode()


def test_a_call_in_doubt_is_run_again_only_by_who_has_read_it(client: Client, rita: User) -> None:
    doubt = desk.in_doubt(factories.reviewer("omar"), arguments=LETTER)
    data = {"verdict": "run", "seen_digest": doubt.input_digest, "reason": "It is not there."}
    assert client.post(desk.url(doubt, "settle"), data).status_code == 422
    response = client.post(desk.url(doubt, "settle"), {**data, "read": [f"{doubt.pk}:body"]})
    assert response.status_code == 302


def test_together_each_row_needs_its_own_parts_opened(client: Client, rita: User) -> None:
    read, unread = (desk.proposed(arguments=LETTER, risk="low") for _ in "ab")
    short = desk.proposed(risk="low")
    address = "/reviews/together/send_email/"
    page = client.get(address).content.decode()
    assert (
        sorted(folds(page))
        == sorted(boxes(page))
        == sorted(f"{one.pk}:body" for one in (read, unread))
    )
    seen = [f"{one.pk}:{one.input_digest}" for one in (read, unread, short)]
    told = client.post(address, {"seen": seen, "read": [f"{read.pk}:body"]}).content.decode()
    assert "You have not opened body" in told
    assert {one.review_id for one in AgentReviewVote.objects.all()} == {read.pk, short.pk}


def test_keys_tell_where_a_part_is_without_doubt() -> None:
    assert key_of(("a/b", 0)) != key_of(("a", "b", 0))

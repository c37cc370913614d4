"""Records are read once while a page is made, and anew everywhere else."""

from __future__ import annotations

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from tools import records
from tools.base import ToolError
from tools.models import Customer
from tools.read_once import read_once, remembered, remembered_all

pytestmark = pytest.mark.usefixtures("records")


def test_a_record_is_read_once_inside(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with read_once(), django_assert_num_queries(2):
        first = records.customer("C-1001")
        assert records.customer("C-1001") is first
        assert records.customer("C-1002") is not first


def test_what_changes_meanwhile_is_not_seen_inside_and_is_seen_outside() -> None:
    with read_once():
        before = records.customer("C-1001").name
        Customer.objects.filter(pk="C-1001").update(name="Somebody else")
        assert records.customer("C-1001").name == before
    assert records.customer("C-1001").name == "Somebody else"


def test_a_locked_record_is_read_each_time() -> None:
    with read_once(), transaction.atomic():
        assert records.customer("C-1001") is not records.customer("C-1001", lock=True)
        assert records.customer("C-1001", lock=True) is not records.customer("C-1001", lock=True)


def test_one_that_is_not_there_is_told_each_time() -> None:
    with read_once():
        for _ in range(2):
            with pytest.raises(ToolError, match="There is no customer C-9999"):
                records.customer("C-9999")


def test_documents_bring_their_bytes_once(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ids = list(records.Document.objects.values_list("pk", flat=True)[:2])
    with read_once(), django_assert_num_queries(1):
        assert {one.pk for one in records.documents(ids)} == set(ids)
        assert all(records.document(one).content for one in ids)


def test_nothing_is_kept_outside_or_from_one_page_to_the_next() -> None:
    told = iter(range(9))
    assert [remembered("a", lambda: next(told)) for _ in range(2)] == [0, 1]
    for expected in (2, 3):
        with read_once():
            assert remembered("a", lambda: next(told)) == expected
            assert remembered("a", lambda: next(told)) == expected
    assert remembered("a", lambda: next(told)) == 4


def test_of_several_only_those_not_read_yet_are_read() -> None:
    asked: list[list[str]] = []

    def read(missing: list[str]) -> dict[str, str]:
        asked.append(missing)
        return {key: key.upper() for key in missing if key != "none"}

    with read_once():
        assert remembered_all("letters", ["a", "none"], read) == {"a": "A", "none": None}
        assert remembered_all("letters", ["b", "a", "none", "b"], read)["b"] == "B"
        assert remembered(("letters", "a"), lambda: "anew") == "A"
    assert remembered_all("letters", ["a"], read) == {"a": "A"}
    assert asked == [["a", "none"], ["b"], ["a"]]

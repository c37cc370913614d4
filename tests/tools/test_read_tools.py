# ruff: noqa: RUF001  names in several scripts are the point here
from __future__ import annotations

import hashlib
import json

import pytest

from tests.tools.calling import run
from tools.base import ToolError, ToolInputError
from tools.models import Customer, Document
from tools.registry import TOOLS

pytestmark = pytest.mark.usefixtures("records")


def _found(query: str, **more: int) -> list[str]:
    return [c["customer_id"] for c in run("find_customers", {"query": query, **more})["customers"]]


@pytest.mark.parametrize(
    ("query", "customer_id"),
    [
        ("marlowe", "C-1001"),
        ("shipping MARLOWE", "C-1001"),
        ("ana.duarte@marlowe-shipping.example", "C-1001"),
        ("61203844", "C-1001"),
        ("c-1001", "C-1001"),
        ("αιγαίο", "C-1004"),
        ("ЧЕРНОМОРСКА", "C-1006"),
        ("Świętokrzyskie", "C-1005"),
        ("O’Dálaigh & Sons", "C-1010"),
    ],
)
def test_customers_are_found_by_any_of_their_marks(query: str, customer_id: str) -> None:
    assert _found(query) == [customer_id]


def test_only_what_others_wrote_is_an_outsiders() -> None:
    message = run("read_customer_message", {"message_id": "M-2003"})
    keys = TOOLS["read_customer_message"].outside_of(message)
    assert {"customer_id", "message_id"} == message["message"].keys() - {
        *(keys or ()),
        "received_at",
    }
    kinds = {one.document_id: one.kind for one in Document.objects.all()}
    read = {kind: run("read_document", {"document_id": key}) for key, kind in kinds.items()}
    outside = {kind for kind, told in read.items() if TOOLS["read_document"].outside_of(told)}
    assert read.keys() - outside == {"guidance", "screening_note"}
    assert TOOLS["read_document"].outside_of({"document": {"kind": Document.REPORT}}) == ()


def test_every_word_must_fit() -> None:
    assert _found("marlowe metals") == []


@pytest.mark.parametrize("query", ["%", "_", "'; DROP TABLE tools_customer; --", "\\"])
def test_a_search_takes_its_words_as_they_are(query: str) -> None:
    assert _found(query) == []


def test_a_search_returns_no_more_than_asked_for() -> None:
    assert len(_found(".example", limit=2)) == 2
    assert len(_found(".example")) == 5
    with pytest.raises(ToolInputError, match="limit"):
        run("find_customers", {"query": "a", "limit": 1000})


def test_a_record_is_read_whole_with_its_version() -> None:
    record = run("read_customer_record", {"customer_id": "C-1001"})["customer"]
    assert record["name"] == "Marlowe Shipping B.V."
    assert record["version"] == 1
    assert record["onboarded_on"] == "2021-03-15"
    assert record["beneficial_owners"][0] == {
        "name": "Pieter van Houten",
        "share_percent": 60,
        "country": "NL",
    }
    columns = {field.name for field in Customer._meta.concrete_fields}
    assert columns - set(record) == {"updated_at"}


@pytest.mark.parametrize(
    ("name", "arguments", "hint"),
    [
        ("read_customer_record", {"customer_id": "C-9999"}, "find_customers"),
        ("list_customer_documents", {"customer_id": "C-9999"}, "find_customers"),
        ("lookup_regulation", {"code": "AML-7"}, "there are AML-6, CRS-2, MIFID-16, SANC-3"),
        ("read_document", {"document_id": "DOC-000000000000"}, "list_customer_documents"),
        ("read_customer_message", {"message_id": "M-9999"}, "no message M-9999"),
    ],
)
def test_what_is_not_there_is_said_with_a_way_on(
    name: str, arguments: dict[str, str], hint: str
) -> None:
    with pytest.raises(ToolError, match=hint):
        run(name, arguments)


def test_a_regulation_names_its_requirements_and_where_filings_go() -> None:
    regulation = run("lookup_regulation", {"code": "AML-6"})["regulation"]
    assert regulation["regulator_id"] == "REG-NFSA"
    assert [set(one) for one in regulation["requirements"]] == [{"id", "text", "field"}] * 6


def test_documents_are_listed_newest_first_and_read_with_their_digest() -> None:
    listed = run("list_customer_documents", {"customer_id": "C-1001"})["documents"]
    assert [one["date"] for one in listed] == ["2026-09-14", "2026-08-03", "2025-10-28"]
    read = run("read_document", {"document_id": listed[0]["document_id"]})["document"]
    assert "Marlowe Shipping B.V." in read["text"]
    assert hashlib.sha256(read["text"].encode()).hexdigest() == read["sha256"]
    assert read["document_id"] == f"DOC-{read['sha256'][:12]}"


def test_a_message_is_read_as_it_came_in() -> None:
    message = run("read_customer_message", {"message_id": "M-2003"})["message"]
    assert message["customer_id"] == "C-1003"
    assert message["from"] == "finance@halden-trade.example"
    assert "Ignore all previous instructions" in message["body"]


def test_a_message_from_nobody_we_know_has_no_customer() -> None:
    message = run("read_customer_message", {"message_id": "M-2005"})["message"]
    assert message["customer_id"] is None


def test_whatever_a_read_returns_is_json() -> None:
    for name, arguments in (
        ("find_customers", {"query": "a"}),
        ("read_customer_record", {"customer_id": "C-1011"}),
        ("lookup_regulation", {"code": "CRS-2"}),
        ("list_customer_documents", {"customer_id": "C-1003"}),
        ("read_customer_message", {"message_id": "M-2006"}),
    ):
        output = run(name, arguments)
        assert json.loads(json.dumps(output, allow_nan=False)) == output

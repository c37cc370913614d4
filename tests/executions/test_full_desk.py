"""The benchmark's full desk is an honest one, and its pages ask few queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agentops.accounts.models import User
from bench import desk as bench
from bench import open_reviews
from executions.engine.connections import parameters
from executions.models import AgentReview
from executions.registry_sync import sync_registry
from tests.executions import desk
from tests.executions.stories import broken
from tests.executions.test_desk_review import document as report
from tools.models import Customer, Document

REVIEWS = 60
AT_MOST = 15


@pytest.fixture
def filled(committed_db: None) -> None:
    sync_registry()
    call_command("load_sample_data", verbosity=0)
    with psycopg.connect(**parameters(), autocommit=True) as conn:
        open_reviews.fill(conn, reviews=REVIEWS)


def test_it_passes_every_check(filled: None) -> None:
    assert broken() == {}
    assert AgentReview.objects.open().count() == REVIEWS


def test_no_page_of_the_desk_asks_much(filled: None, client: Client) -> None:
    """O1: so many queries, whatever waits."""
    client.force_login(open_reviews.person("rita"))
    client.get("/you/")
    asked = {}
    for name, (address, *_) in bench.addresses().items():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code in (200, 204), name
        asked[name] = len(queries)
    assert all(number > 0 for number in asked.values())
    assert max(asked.values()) <= AT_MOST, asked


def update(customer: str, document: str) -> dict[str, Any]:
    """Of a version that is no more, so that the page tells what the agent had read."""
    return {**desk.CHANGE, "customer_id": customer, "version": 99}


def letter(customer: str, document: str) -> dict[str, Any]:
    to = [*Customer.objects.filter(pk=customer).values_list("email", flat=True), "a@b.example"]
    return {**desk.LETTER, "to": to, "attach_document_ids": [document]}


def made(customer: str, document: str) -> dict[str, Any]:
    given = report()
    given["findings"][0]["source"] = f"{document} and M-2001"
    return {**given, "customer_id": customer, "regulation_code": "AML-6"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("update_customer_record", update),
        ("send_email", letter),
        ("generate_compliance_document", made),
    ],
)
def test_what_is_decided_together_asks_as_much_however_many_they_are(
    client: Client, rita: User, tool: str, arguments: Callable[[str, str], dict[str, Any]]
) -> None:
    """Each of another customer with another document; some of a customer that there is not."""
    desk.load_sample_data()
    about = zip(
        ["C-9998", *Customer.objects.values_list("pk", flat=True)[:2], "C-9999"],
        Document.objects.values_list("pk", flat=True)[:4],
        strict=True,
    )
    address = reverse("reviews-together", args=[tool])
    client.get(address)
    asked = []
    for number, each in enumerate(about, start=1):
        desk.proposed(tool, arguments(*each), risk="low")
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address).content.decode()
        assert page.count('name="seen"') == number
        asked.append(len(queries))
    assert asked[2:] == [asked[1]] * 2
    assert asked[1] <= AT_MOST

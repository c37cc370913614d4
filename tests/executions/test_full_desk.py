"""The benchmark's full desk is an honest one, and its pages ask few queries."""

from __future__ import annotations

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import desk, open_reviews
from executions.engine.connections import parameters
from executions.models import AgentReview
from executions.registry_sync import sync_registry
from tests.executions.stories import broken

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
    for name, (address, *_) in desk.addresses().items():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code in (200, 204), name
        asked[name] = len(queries)
    assert all(number > 0 for number in asked.values())
    assert max(asked.values()) <= AT_MOST, asked

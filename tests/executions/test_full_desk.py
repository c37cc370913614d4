"""The benchmark's full desk is an honest one, and its pages ask few queries."""

from __future__ import annotations

import psycopg
import pytest
from django.core.management import call_command

from bench import open_reviews
from executions.engine.connections import parameters
from executions.models import AgentReview
from executions.registry_sync import sync_registry
from tests.executions.stories import broken

REVIEWS = 60


@pytest.fixture
def filled(committed_db: None) -> None:
    sync_registry()
    call_command("load_sample_data", verbosity=0)
    with psycopg.connect(**parameters(), autocommit=True) as conn:
        open_reviews.fill(conn, reviews=REVIEWS)


def test_it_passes_every_check(filled: None) -> None:
    assert broken() == {}
    assert AgentReview.objects.open().count() == REVIEWS

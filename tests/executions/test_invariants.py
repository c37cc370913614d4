"""Each promise is broken behind the guards' back, and the checker names what broke it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pytest_django import DjangoDbBlocker

from executions.engine.seals import seal_audit
from executions.invariants import INVARIANTS, verify
from executions.models import AgentAuditSeal
from tests.executions.stories import Everything, broken, everything, plant
from tests.support.database import wipe

pytestmark = pytest.mark.django_db

PLANTS = Path(__file__).with_name("plants.sql")


class Plant(NamedTuple):
    """One statement of plants.sql with what the checker must say of it."""

    name: str
    row: str
    what: str
    statement: str
    without: str = ""


def planted() -> list[Plant]:
    """Read plants.sql."""
    plants = []
    for block in PLANTS.read_text().strip().split("\n\n")[1:]:
        head, _, statement = block.partition("\n")
        name, row, what, *without = head.removeprefix("-- ").split(" | ")
        plants.append(Plant(name, row, what, statement, *without))
    return plants


@pytest.fixture(scope="module")
def story(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Everything]:
    """Committed once: each test takes back what it plants."""
    with django_db_blocker.unblock():
        made = everything()
        seal_audit()
        yield made
        wipe()


@pytest.fixture
def rows(db: None, settings: Any, story: Everything) -> Everything:
    settings.OPENAI_API_KEY = 'sk-"secret"-123'
    plant("UPDATE agent_runners SET lease_until = now() + interval '1 minute'", {})
    plant("UPDATE agent_executions SET updated_at = now()", {})
    return story


def places(rows: Everything) -> dict[str, Any]:
    executions = ("completed", "awaiting", "doubtful", "running", "pending", "cancelled")
    return {
        **{name: getattr(rows, name).pk for name in executions},
        **{name: getattr(rows, name).pk for name in ("olga", "rita", "omar")},
        "reading": rows.call("read_customer_record").pk,
        "filing": rows.call("submit_to_regulator").pk,
        "letter": rows.call("send_email").pk,
        "doubted": rows.call("send_email", "doubtful").pk,
        "waiting_letter": rows.call("send_email", "awaiting").pk,
        "ritas_vote": rows.rita.votes.get(review__tool_name="submit_to_regulator").pk,
        "seal": AgentAuditSeal.objects.get().pk,
        "open_review": rows.awaiting.reviews.get().pk,
    }


def test_it_finds_nothing_wrong_with_what_the_journal_and_people_write(rows: Everything) -> None:
    verified = list(verify())
    assert {one.name: one.examples for one in verified if one.violations} == {}
    assert [one.name for one in verified] == [f"I{number}" for number in range(1, 17)]


def test_the_hourly_form_finds_nothing_wrong_either(rows: Everything) -> None:
    assert broken(hours=1) == {}


def test_every_check_looks_at_some_rows(rows: Everything) -> None:
    assert [one.name for one in verify() if not one.rows] == []


@pytest.mark.parametrize("broken_by", planted(), ids=lambda plant: f"{plant.name}-{plant.what}")
def test_it_names_the_row_that_breaks_a_promise(rows: Everything, broken_by: Plant) -> None:
    ids = places(rows)
    plant(broken_by.statement, ids, without=broken_by.without)
    found = broken(only=[broken_by.name])
    assert found, f"{broken_by.name} seems to be kept"
    named = [(one.row, one.what) for one in found[broken_by.name].examples]
    assert any(broken_by.row % ids == row and broken_by.what in what for row, what in named), named
    hourly = broken(only=[broken_by.name], hours=1)[broken_by.name]
    assert hourly.violations == found[broken_by.name].violations


def test_every_rule_has_a_violation_planted_against_it() -> None:
    planted_against = Counter(one.name for one in planted())
    assert [one.name for one in INVARIANTS if planted_against[one.name] < len(one.rules)] == []

"""PostgreSQL takes whatever core/storable.py lets through (I16)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from executions.core import storable
from executions.models import AgentToolCall
from tests import factories

pytestmark = pytest.mark.django_db

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=60)
NUMBERS = st.integers(-(10**320), 10**320) | st.floats() | st.decimals()
ANY_VALUE = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.binary(max_size=20) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(ANY_TEXT, inner, max_size=5),
    max_leaves=10,
)
ON_A_REAL_TABLE = settings(
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def stored(value: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb", [Jsonb(value)])
        row = cursor.fetchone()
        assert row
        return json.loads(row[0])  # Django hands jsonb on as text


@ON_A_REAL_TABLE
@given(ANY_VALUE)
def test_any_value_is_stored_and_read_back_as_it_was_cleaned(db: None, given: Any) -> None:
    clean = storable.value(given)
    assert stored(clean) == clean


@ON_A_REAL_TABLE
@given(ANY_TEXT)
def test_any_text_is_stored_and_read_back_as_it_was_cleaned(db: None, given: str) -> None:
    clean = storable.text(given)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text", [clean])
        assert cursor.fetchone() == (clean,)


def nested(depth: int) -> Any:
    value: Any = "the end"
    for _ in range(depth):
        value = {"deeper": [value]}
    return value


@pytest.mark.parametrize(
    "monster",
    [
        "x" * 10_000_000,
        ["x" * 300_000] * 200,
        {str(number): number for number in range(300_000)},
        list(range(300_000)),
        nested(5_000),
        10**5_000,
        Decimal("NaN"),
        float("inf"),
        {"\0": "\0", "\ud800": float("nan")},
        "\0" * 1_000_000,
    ],
    ids=lambda monster: type(monster).__name__,
)
def test_a_tools_monstrous_output_becomes_a_row(monster: Any) -> None:
    call = factories.call(factories.running(), tool_name="read_document", effect="read")
    factories.change(call, tool_output=storable.value(monster))
    assert AgentToolCall.objects.get(pk=call.pk).tool_output is not None

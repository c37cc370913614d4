"""A fault point is where the process is, and costs nothing while nobody listens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from executions import faults
from executions.commits import commit
from tests import factories


@pytest.fixture
def seen() -> Iterator[list[tuple[str, bool]]]:
    """Each point that was hit, and whether a transaction was open on its connection."""
    points: list[tuple[str, bool]] = []

    def note(point: str, conn: Any) -> None:
        points.append((point, bool(conn and conn.in_atomic_block)))

    faults.install(note)
    yield points
    faults.install(None)


@pytest.mark.django_db(transaction=True)
def test_a_commit_has_a_point_on_each_side(seen: list[tuple[str, bool]]) -> None:
    with commit("launch"):
        factories.execution()

    assert seen == [("launch.before", True), ("launch.after", False)]


@pytest.mark.django_db(transaction=True)
def test_what_is_raised_before_the_commit_undoes_it() -> None:
    def die(point: str, conn: Any) -> None:
        if point == "launch.before":
            raise RuntimeError(point)

    faults.install(die)
    try:
        with pytest.raises(RuntimeError, match=r"launch\.before"), commit("launch"):
            factories.execution()
    finally:
        faults.install(None)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM agent_executions")
        assert cursor.fetchone() == (0,)


def test_a_point_that_nobody_listens_to_does_nothing() -> None:
    faults.hit("anywhere")

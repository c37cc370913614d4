"""One rehearsal server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rehearsal_server import RehearsalServer, start


@pytest.fixture(scope="module")
def server() -> Iterator[RehearsalServer]:
    with start() as running:
        yield running


@pytest.fixture(params=["responses", "chat"])
def api(request: pytest.FixtureRequest) -> str:
    """Each of the two APIs in turn."""
    return str(request.param)

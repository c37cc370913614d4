"""One rehearsal server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rehearsal_server import RehearsalServer, start


@pytest.fixture(scope="module")
def server() -> Iterator[RehearsalServer]:
    """A server without latency; faults laid in by a test are gone after it (`clean_server`)."""
    with start() as running:
        yield running


@pytest.fixture
def clean_server(server: RehearsalServer) -> Iterator[RehearsalServer]:
    """The module's server, without faults before and after."""
    server.clear_faults()
    yield server
    server.clear_faults()

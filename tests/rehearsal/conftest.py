from __future__ import annotations

import pytest

from tests.rehearsal_server import RehearsalServer


@pytest.fixture
def server(rehearsal: RehearsalServer) -> RehearsalServer:
    return rehearsal


@pytest.fixture(params=["responses", "chat"])
def api(request: pytest.FixtureRequest) -> str:
    """Each of the two APIs in turn."""
    return str(request.param)

from __future__ import annotations

import pytest

from tests.rehearsal_server import RehearsalServer


@pytest.fixture
def server(rehearsal: RehearsalServer) -> RehearsalServer:
    return rehearsal

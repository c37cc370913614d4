"""A stage for crash proofs: the outside parties, people, a report, and hands to play with."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from tests.faults import world
from tests.faults.stage import Stage


@pytest.fixture(scope="session")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[world.Outside]:
    """The outside parties, once for the whole session."""
    with world.outside(tmp_path_factory.mktemp("outside"), dict(os.environ)) as parties:
        yield parties


@pytest.fixture
def stage(committed_db: None, around: world.Outside) -> Iterator[Stage]:
    """An empty database with sample data and people, and a worker in this process."""
    logging.disable(logging.CRITICAL)  # faults are told by the hundred, and asserted
    with world.quickly(around):
        made = Stage(around)
        yield made
        made.close()
    logging.disable(logging.NOTSET)

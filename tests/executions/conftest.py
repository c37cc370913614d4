from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from agentops.accounts.models import User
from tests import factories
from tests.executions import desk, scene


@pytest.fixture(scope="module")
def names(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[scene.Names]:
    """The scene for hostile statements, by name. Tests that use it are marked `django_db`."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield scene.build()
        transaction.set_rollback(True)


@pytest.fixture
def sample_data(db: None) -> None:
    desk.load_sample_data()


@pytest.fixture
def rita(db: None, client: Client) -> User:
    """A reviewer of every tool, who is logged in."""
    person = factories.reviewer("rita")
    client.force_login(person)
    return person

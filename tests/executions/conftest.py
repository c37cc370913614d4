from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from tests.executions import scene


@pytest.fixture(scope="module")
def names(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[scene.Names]:
    """The scene for hostile statements, by name. Tests that use it are marked `django_db`."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield scene.build()
        transaction.set_rollback(True)

"""Pieces the models share."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from django.contrib.postgres.functions import RandomUUID
from django.db import models


class Now(models.Func):
    """The database's `now()` as a column default: one time for a whole transaction."""

    template = "now()"
    allowed_default = True
    output_field = models.DateTimeField()


def uuid_key() -> models.UUIDField[Any, Any]:
    """Return a primary key that Django and plain SQL both fill by themselves."""
    return models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False
    )


def choices(enum: type[StrEnum]) -> list[tuple[str, str]]:
    """Return a status enum as form choices."""
    return [(member.value, member.value.replace("_", " ")) for member in enum]


def labels(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in names]

"""The user model. Its key is a UUID because `agent_executions.user_id` is one."""

from __future__ import annotations

import uuid
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.utils.functional import cached_property

from agentops.accounts.keys import KEYS, strokes_of

SYSTEM_USERNAME = "system"
SYSTEM_USER_ID = uuid.UUID("00000000-0000-4000-8000-000000000001")
"""Launches what nobody in particular launched: schedules, `launch_agent` without --user."""


ZONES = tuple(
    sorted(
        name
        for name in available_timezones()
        if name == "UTC" or ("/" in name and not name.startswith(("Etc/", "posix/", "right/")))
    )
)
"""The zones a person may choose: UTC and those named after places."""


class User(AbstractUser):
    """A person, or a service (`is_service`), which can neither log in nor vote. `keys`: those that
    are not the usual ones, by action (see agentops/accounts/keys.py)."""

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False
    )
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    keys = models.JSONField(
        default=dict, blank=True, db_default=models.Value({}, models.JSONField())
    )
    shortcuts = models.BooleanField("keyboard shortcuts", default=True, db_default=True)
    is_service = models.BooleanField("service user", default=False, db_default=False)

    class Meta(AbstractUser.Meta):
        db_table = "accounts_user"
        constraints = [
            models.CheckConstraint(
                name="service_users_cannot_log_in",
                condition=models.Q(is_service=False) | models.Q(is_active=False),
            )
        ]

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone this person reads times in; None: the site's."""
        return ZoneInfo(self.time_zone) if self.time_zone in ZONES else None

    @cached_property
    def strokes(self) -> dict[str, str]:
        """The key of each action."""
        return strokes_of(self.keys)

    @property
    def all_keys(self) -> list[tuple[str, str]]:
        """Each key with what it does."""
        return [(self.strokes[key.action], key.words) for key in KEYS]

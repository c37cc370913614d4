"""The cast of a demonstration, and what each of them may do."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from agentops.accounts.models import SYSTEM_USER_ID, User
from tools.registry import ALWAYS_GATED

pytestmark = pytest.mark.django_db


def demo_logins(**options: Any) -> dict[str, str]:
    """Run the command; password by username for those that it showed."""
    said = StringIO()
    call_command("demo_logins", stdout=said, **options)
    return dict(re.findall(r"^(\w+) +([\w-]{16}) +may ", said.getvalue(), re.M))


def test_it_makes_one_login_per_role_and_shows_its_password() -> None:
    passwords = demo_logins()
    assert set(passwords) == {"admin", "olga", "rita", "omar", "sam"}
    for username, password in passwords.items():
        assert authenticate(username=username, password=password)


def test_it_shows_no_password_twice() -> None:
    demo_logins()
    assert demo_logins() == {}


def test_reset_makes_new_passwords() -> None:
    old = demo_logins()
    new = demo_logins(reset=True)
    assert set(new) == set(old)
    assert not set(new.values()) & set(old.values())


def test_reviewers_may_approve_every_gated_tool_and_launch_nothing() -> None:
    demo_logins()
    for username in ("rita", "omar"):
        user = User.objects.get(username=username)
        assert user.has_perms([f"executions.approve_{tool}" for tool in ALWAYS_GATED])
        assert user.has_module_perms("executions")
        assert not user.has_perm("executions.launch_execution")


def test_operations_may_launch_and_cancel_and_approve_nothing() -> None:
    demo_logins()
    olga = User.objects.get(username="olga")
    assert olga.has_perms(["executions.launch_execution", "executions.cancel_execution"])
    assert not any(olga.has_perm(f"executions.approve_{tool}") for tool in ALWAYS_GATED)


def test_sam_may_log_in_and_nothing_else() -> None:
    demo_logins()
    sam = User.objects.get(username="sam")
    assert sam.is_staff
    assert sam.get_all_permissions() == set()


def test_production_gets_no_such_logins(settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="not made where AGENTOPS_ENV=production"):
        demo_logins()


def test_the_system_user_exists_and_cannot_log_in() -> None:
    system = User.objects.get(id=SYSTEM_USER_ID)
    assert system.username == "system"
    assert system.is_service
    assert not system.is_active
    assert not system.has_usable_password()

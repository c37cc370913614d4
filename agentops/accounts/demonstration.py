"""The cast of a demonstration: one login per role, with passwords made on this machine."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q, QuerySet

from agentops.accounts.models import User

OUR_APPS = ("executions", "tools")


@dataclass(frozen=True, kw_only=True)
class Role:
    username: str
    first_name: str
    may: str
    group: str | None = None
    is_superuser: bool = False


@dataclass(frozen=True, kw_only=True)
class Login:
    """A member of the cast; `password` is None when it was not made now and so is not known."""

    role: Role
    password: str | None


CAST = (
    Role(username="admin", first_name="Ada", may="administer the site", is_superuser=True),
    Role(
        username="olga",
        first_name="Olga",
        may="launch, view and cancel executions",
        group="Operations",
    ),
    Role(username="rita", first_name="Rita", may="review every gated tool", group="Reviewers"),
    Role(username="omar", first_name="Omar", may="review every gated tool", group="Reviewers"),
    Role(username="sam", first_name="Sam", may="log in, and nothing else"),
)


@transaction.atomic
def make_logins(*, reset: bool) -> list[Login]:
    """Make the cast and its groups. Who exists keeps the password, unless `reset`."""
    groups = {"Operations": _operations(), "Reviewers": _reviewers()}
    for name, permissions in groups.items():
        Group.objects.get_or_create(name=name)[0].permissions.set(permissions)
    return [Login(role=role, password=_make(role, reset=reset)) for role in CAST]


def _make(role: Role, *, reset: bool) -> str | None:
    user = User.objects.filter(username=role.username).first()
    if user and not reset:
        return None
    if user is None:
        user = User(
            username=role.username,
            first_name=role.first_name,
            email=f"{role.username}@example.test",
            is_staff=True,
            is_superuser=role.is_superuser,
        )
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save()
    if role.group:
        user.groups.add(Group.objects.get(name=role.group))
    return password


def _operations() -> QuerySet[Permission]:
    return Permission.objects.filter(
        Q(
            content_type__app_label="executions",
            codename__in=("launch_execution", "cancel_execution", "change_agentcontrol"),
        )
        | _may_view()
    )


def _reviewers() -> QuerySet[Permission]:
    approve = Q(content_type__app_label="executions", codename__startswith="approve_")
    return Permission.objects.filter(approve | _may_view())


def _may_view() -> Q:
    return Q(content_type__app_label__in=OUR_APPS, codename__startswith="view_")

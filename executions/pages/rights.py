"""Which rights our pages ask for."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from agentops.accounts.models import User
from executions import permissions

VIEW_EXECUTIONS = "executions.view_agentexecution"
VIEW_CALLS = "executions.view_agenttoolcall"
VIEW_DOCUMENTS = "tools.view_document"

_APPROVE = permissions.approve("")


def require(person: User, permission: str, to: str) -> None:
    """Raise PermissionDenied, in words, unless the person has the permission."""
    if not person.has_perm(permission):
        raise PermissionDenied(f"You may not {to}. Ask for the right {permission}.")


def decidable_tools(person: User) -> frozenset[str]:
    """Return the names of the tools on whose calls this person may decide."""
    return frozenset(
        name.removeprefix(_APPROVE)
        for name in person.get_all_permissions()
        if name.startswith(_APPROVE)
    )

"""Whom a command acts for."""

from __future__ import annotations

import difflib

from agentops.accounts.models import SYSTEM_USER_ID, SYSTEM_USERNAME, User
from executions.operations.refusals import NotFound

NAMES_LOOKED_AT = 20_000


def find_user(username: str | None) -> User:
    """Return the user of that name, or the service user for None; NotFound with nearest names."""
    if username is None:
        return _service_user()
    found = _stored(username)
    if found is not None:
        return found
    names = list(User.objects.values_list("username", flat=True)[:NAMES_LOOKED_AT])
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(username.casefold(), folded, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(folded[one] for one in near)}?" if near else ""
    raise NotFound(f"there is no user {username!r}{hint}")


def _stored(username: str) -> User | None:
    """PostgreSQL knows no text with NUL or lone surrogates, so no user can have such a name."""
    try:
        username.encode()
    except UnicodeEncodeError:
        return None
    return None if "\0" in username else User.objects.filter(username=username).first()


def _service_user() -> User:
    found = User.objects.filter(pk=SYSTEM_USER_ID).first()
    if found is None:
        raise NotFound(f"there is no service user {SYSTEM_USERNAME!r}; run manage.py migrate.")
    return found

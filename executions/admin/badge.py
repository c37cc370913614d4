"""What Unfold asks us for on each of its pages; `agentops/admin_look.py` names these."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from executions.pages import staying
from executions.pages.frame import PersonRequest, site, switched_off
from executions.pages.waiting import waiting_for


def open_reviews(request: PersonRequest) -> str:
    """Return the count beside "Reviews"."""
    return str(waiting_for(request.user).count())


def site_facts(request: HttpRequest) -> dict[str, Any]:
    """Return what the banners and the login's warning need."""
    is_somebody = request.user.is_authenticated
    return {
        **site(),
        **({"switched_off": switched_off(), **staying.told(request)} if is_somebody else {}),
    }

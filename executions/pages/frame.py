"""The frame around our pages: who is here, where they may go, what waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from agentops.accounts.models import User
from executions import permissions
from executions.models import AgentBreaker, AgentControl
from executions.pages import rights, staying
from executions.pages.held import Switch
from executions.pages.waiting import waiting_for


class PersonRequest(HttpRequest):
    """A request that passed LoginRequiredMiddleware."""

    user: User


@dataclass(frozen=True, kw_only=True)
class Place:
    """One entry of the side; `count` is shown beside it when it is not None. `strokes` is the key
    that leads there, as static/agentops/keys.js reads it."""

    key: str
    label: str
    icon: str
    url: str
    count: int | None = None
    strokes: str = ""


def page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    here: str = "",
    status: int = 200,
    waiting: int | None = None,
) -> HttpResponse:
    """Render a page in the frame. `here` is the key of the place it belongs to; `waiting` is how
    many reviews wait for the person, where the page has counted them itself."""
    frame = {"here": here, **site()}
    if request.user.is_authenticated:
        frame["places"] = places(request.user, waiting)
        if "switched_off" not in (context or {}):
            frame["switched_off"] = switched_off()
        frame |= staying.told(request)
    response = render(request, template, {**frame, **(context or {})}, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def site() -> dict[str, Any]:
    """Return what every page tells of the site."""
    return {
        "rehearsal": settings.AGENTOPS_REHEARSAL,
        "zone": timezone.get_current_timezone_name(),
        "organisation": settings.AGENTOPS_ORGANISATION,
    }


def switched_off() -> list[Switch]:
    """Return what every page tells to be switched off; as a rule nothing, by one query."""
    controls, breakers = AgentControl.objects.off(), AgentBreaker.objects.open()
    names = (controls.order_by().values_list("key"), breakers.order_by().values_list("tool_name"))
    is_any = names[0].union(names[1], all=True).exists()
    return [*controls, *breakers] if is_any else []


def places(person: User, waiting: int | None = None) -> list[Place]:
    """Return where this person may go."""
    found = [
        Place(
            key="reviews",
            label="Review desk",
            icon="review",
            url=reverse("reviews"),
            count=waiting_for(person).count() if waiting is None else waiting,
            strokes="g q",
        )
    ]
    if person.has_perm(rights.VIEW_EXECUTIONS):
        if person.is_staff:  # these two lists are the admin's
            found.append(_place("executions", "Executions", "play", "executions"))
            calls = "admin:executions_agenttoolcall_changelist"
            found.append(_place("calls", "Tool calls", "tool", calls))
        found.append(_place("metrics", "Metrics", "chart", "metrics", strokes="g m"))
    if person.has_perm(permissions.LAUNCH):
        found.append(_place("launch", "Launch", "rocket", "launch"))
    if person.has_perm(permissions.SWITCH):
        found.append(_place("switches", "Switches", "lock", "switches"))
    if person.is_staff:
        found.append(_place("admin", "Administration", "gear", "admin:index"))
    return found


def _place(key: str, label: str, icon: str, name: str, *, strokes: str = "") -> Place:
    return Place(key=key, label=label, icon=icon, url=reverse(name), strokes=strokes)

"""The metrics page: five figures of one agent over one window, and how they came about."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from executions.agents import all_agents
from executions.invariants.recorded import latest_check
from executions.metrics import Health, backlog, healths
from executions.models import AgentAuditSeal, AgentExecution
from executions.templatetags import words

WINDOWS = {
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
DEFAULT_WINDOW = "7d"
LATE = timedelta(hours=2)
SLOW_S, KEPT_S = 0.5, 60.0
FEW = 20
"""Below so many executions a rate says little, and the page says so."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the page shows; `agent` empty means all of them."""

    agent: str
    window: str

    @property
    def since(self) -> Any:
        return timezone.now() - WINDOWS[self.window][1]

    @property
    def window_in_words(self) -> str:
        return WINDOWS[self.window][0]

    def executions_url(self, status: str = "") -> str:
        """Return the address of the list that a count was made from."""
        query = {"finished": self.window, "agent": self.agent, "status__exact": status}
        chosen = {name: value for name, value in query.items() if value}
        return f"{reverse('admin:executions_agentexecution_changelist')}?{urlencode(chosen)}"

    def url(self) -> str:
        query = urlencode({"agent": self.agent, "window": self.window})
        return f"{reverse('metrics')}?{query}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table: the same five figures of another agent or window."""

    label: str
    choice: Choice
    figures: Health
    is_chosen: bool


def choice(agent: str, window: str) -> Choice:
    """Return what was asked for; what makes no sense becomes all agents, seven days."""
    known = {one.name for one in all_agents()}
    return Choice(
        agent=agent if agent in known else "",
        window=window if window in WINDOWS else DEFAULT_WINDOW,
    )


def context(chosen: Choice) -> dict[str, Any]:
    """Return what the page's template shows."""
    windows = {
        f"Last {told}": Choice(agent=chosen.agent, window=key) for key, (told, _) in WINDOWS.items()
    }
    agents = {one.name: Choice(agent=one.name, window=chosen.window) for one in all_agents()}
    known = _read([chosen, *windows.values(), *agents.values()])
    figures = known[chosen]
    return {
        "chosen": chosen,
        "figures": figures,
        "agents": all_agents(),
        "headline": headline(chosen, figures),
        "few": 0 < figures.executions < FEW,
        "links": {
            name: chosen.executions_url(name) for name in ("completed", "failed", "cancelled")
        },
        "backlog": backlog(),
        "open_now": AgentExecution.objects.unfinished().count(),
        "by_window": _rows(windows, chosen, known),
        "by_agent": _rows(agents, chosen, known),
        "as_of": timezone.now(),
        **promises(),
    }


def promises() -> dict[str, Any]:
    """Return what the last hourly check found, and the last seal of the audit trail."""
    check = latest_check()
    return {
        "check": check,
        "check_ms": check and 1000 * check.seconds,
        "check_is_late": check and timezone.now() - check.at > LATE,
        "seal": AgentAuditSeal.objects.order_by("-id").first(),
    }


def headline(chosen: Choice, figures: Health) -> str:
    """Return the answer in one sentence."""
    who = chosen.agent or "All agents together"
    if not figures.executions:
        return f"Nothing has finished in the last {chosen.window_in_words}"
    done = f"{figures.completed:,} of {words.count(figures.executions, 'execution')}"
    if figures.completed == figures.executions:
        return f"{who} completed all {words.count(figures.executions, 'execution')}"
    if not figures.completed:
        return f"{who} completed none of {words.count(figures.executions, 'execution')}"
    return f"{who} completed {done}"


def _rows(listed: dict[str, Choice], chosen: Choice, known: dict[Choice, Health]) -> list[Row]:
    return [
        Row(label=label, choice=own, figures=known[own], is_chosen=own == chosen)
        for label, own in listed.items()
    ]


_slow: dict[tuple[Choice, str], tuple[float, Health]] = {}  # until when, and what


def _read(choices: list[Choice]) -> dict[Choice, Health]:
    """Return the figures; what took long on a long history is kept for a minute in this process."""
    began, database = time.monotonic(), str(connection.settings_dict["NAME"])
    kept = {one: _slow.get((one, database), (0.0, None)) for one in choices}
    known = {one: figures for one, (until, figures) in kept.items() if figures and began < until}
    missing = [one for one in dict.fromkeys(choices) if one not in known]
    if not missing:
        return known
    counted = healths([(one.agent or None, one.since) for one in missing])
    found = dict(zip(missing, counted, strict=True))
    if time.monotonic() - began > SLOW_S:
        until = time.monotonic() + KEPT_S
        _slow.update({(one, database): (until, figures) for one, figures in found.items()})
    return known | found

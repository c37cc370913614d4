"""The forms that pull switches and lift them. A place is a scope and a name: `tool:send_email`."""

from __future__ import annotations

from typing import Any

from django import forms

from agentops.accounts.models import User
from executions import operations
from executions.agents import all_agents
from executions.models import AgentControl
from executions.operations.switching import REASON_CHARS
from tools.registry import TOOLS


def places() -> list[Any]:
    """Return what can be switched off, as the choices of a field."""
    agents = [(f"agent:{agent.name}", agent.name) for agent in all_agents()]
    tools = [(f"tool:{name}", name) for name in sorted(TOOLS)]
    return [("all:", "Everything"), ("Agents", agents), ("Tools", tools)]


class PullForm(forms.Form):
    place = forms.ChoiceField(label="What", choices=places)
    reason = forms.CharField(
        label="Why; everybody who meets the switch reads it",
        max_length=REASON_CHARS,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    verb = forms.ChoiceField(
        choices=[("pause", "Pause"), ("kill", "Kill")], widget=forms.HiddenInput
    )


class LiftForm(forms.Form):
    """`seen` is when the switch that the person saw was pulled; `next` where they saw it."""

    place = forms.CharField(max_length=200)
    seen = forms.DateTimeField()
    next = forms.CharField(required=False)


def pull(values: dict[str, Any], person: User) -> AgentControl:
    """Pause or kill what a valid form says. Raises what the operation raises."""
    verb = operations.kill if values["verb"] == "kill" else operations.pause
    return verb(**_where(values), person=person, reason=values["reason"])


def lift(values: dict[str, Any], person: User) -> AgentControl:
    return operations.lift(**_where(values), person=person, seen=values["seen"])


def told(switch: AgentControl) -> str:
    place = switch.place[0].upper() + switch.place[1:]
    return f"{place} is {'on again' if switch.state == 'on' else switch.state}."


def _where(values: dict[str, Any]) -> dict[str, str]:
    scope, _, key = values["place"].partition(":")
    return {"scope": scope, "key": key}

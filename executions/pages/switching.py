"""The forms that pull switches and lift them. A place is a scope and a name: `tool:send_email`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import forms

from agentops.accounts.models import User
from executions import operations
from executions.agents import all_agents
from executions.core.states import EXECUTION_MOVES, FINAL, CallStatus, ExecutionStatus
from executions.models import AgentControl, AgentExecution, AgentToolCall
from executions.operations.switching import REASON_CHARS
from executions.templatetags import words
from tools.registry import TOOLS


def places() -> list[Any]:
    """Return what can be switched off, as the choices of a field."""
    agents = [(f"agent:{agent.name}", agent.name) for agent in all_agents()]
    tools = [(f"tool:{name}", name) for name in sorted(TOOLS)]
    return [("", "Choose…"), ("all:", "Everything"), ("Agents", agents), ("Tools", tools)]


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
    step = forms.ChoiceField(
        choices=[("confirm", "Yes"), ("back", "No")], widget=forms.HiddenInput, required=False
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


def asked(values: dict[str, Any]) -> dict[str, Any]:
    """Return what a person is shown before a valid form counts: of what place, and what stops."""
    verb = "Kill" if values["verb"] == "kill" else "Pause"
    place = AgentControl(**_where(values)).place
    return {"verb": f"{verb} {place}", "stops": stops(values), "reason": values["reason"]}


def stops(values: dict[str, Any]) -> list[str]:
    """Return what a valid form would hold back as things stand now, a sentence each."""
    where = _where(values)
    executions = AgentExecution.objects.filter(status__in=list(EXECUTION_MOVES.keys() - FINAL))
    calls = AgentToolCall.objects.filter(
        execution__status__in=list(EXECUTION_MOVES.keys() - FINAL),
        status__in=(CallStatus.APPROVED, CallStatus.RUNNING),
    )
    if where["scope"] == "agent":
        executions = executions.filter(agent_type=where["key"])
        calls = calls.filter(execution__agent_type=where["key"])
    if where["scope"] == "tool":
        calls, executions = calls.filter(tool_name=where["key"]), executions.none()
    now = Counter(executions.values_list("status", flat=True))
    of_calls = Counter(calls.values_list("status", flat=True))
    kills = values["verb"] == "kill"
    ends = "LLM requests under way are broken off" if kills else "the step under way ends"
    found = (
        (now[ExecutionStatus.RUNNING], "execution", f"running now: {ends}"),
        (now[ExecutionStatus.PENDING], "execution", "ready to go on, left waiting"),
        (of_calls[CallStatus.RUNNING], "call", "under way, which may still end"),
        (of_calls[CallStatus.APPROVED], "approved action", "not started yet, left waiting"),
        (
            now[ExecutionStatus.AWAITING_REVIEW],
            "execution",
            "waiting for people, who can decide",
        ),
    )
    return [f"{words.count(number, what)} {told}." for number, what, told in found if number]


def lift(values: dict[str, Any], person: User) -> AgentControl:
    return operations.lift(**_where(values), person=person, seen=values["seen"])


def told(switch: AgentControl) -> str:
    place = switch.place[0].upper() + switch.place[1:]
    return f"{place} is {'on again' if switch.state == 'on' else switch.state}."


def _where(values: dict[str, Any]) -> dict[str, str]:
    scope, _, key = values["place"].partition(":")
    return {"scope": scope, "key": key}

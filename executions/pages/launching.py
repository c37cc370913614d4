"""The launch form: an agent, its input, and limits that differ from the agent's own."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from django import forms

from agentops.accounts.models import User
from executions import operations
from executions.agents import Agent, InputRefused
from executions.core import storable
from executions.core.limits import NAMES, LimitError
from executions.operations.refusals import KeyReused, Refusal

INPUT_CHARS = 256_000


class LaunchForm(forms.Form):
    """`key` makes a double click launch once: it is the execution's idempotency key."""

    input_data = forms.CharField(
        label="Input, as JSON",
        max_length=INPUT_CHARS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "code", "spellcheck": "false"}),
    )
    limits = forms.CharField(
        label="Other limits than the agent's own, one a line",
        required=False,
        help_text=f"Like max_steps = 10. There are {', '.join(NAMES)}.",
        widget=forms.Textarea(attrs={"rows": 2, "class": "code", "spellcheck": "false"}),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def clean_input_data(self) -> Any:
        try:
            return storable.parse(self.cleaned_data["input_data"])
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}") from None

    def clean_limits(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["limits"].splitlines())):
            name, equals, value = line.partition("=")
            if not equals:
                raise forms.ValidationError(f"“{line[:80]}” is not like max_steps = 10.")
            found[name.strip()] = value.strip()
        return found


def blank_form(agent: Agent) -> LaunchForm:
    """Return the form with the agent's own sample as input."""
    sample = json.dumps(agent.sample_input, indent=2, ensure_ascii=False)
    return LaunchForm(initial={"input_data": sample, "key": new_key()})


def new_key() -> str:
    return f"launch form {uuid4()}"


def launch(form: LaunchForm, *, agent: Agent, person: User) -> operations.Launched | None:
    """Launch what the valid form says; on a refusal return None with the error at its field."""
    values = form.cleaned_data
    try:
        return operations.launch(
            agent_type=agent.name,
            input_data=values["input_data"],
            user=person,
            limits=values["limits"],
            idempotency_key=values["key"],
        )
    except InputRefused as error:
        for clause in str(error).removeprefix(f"Input for {agent.name}: ").split("; "):
            form.add_error("input_data", clause)
    except LimitError as error:
        form.add_error("limits", str(error))
    except KeyReused:
        form.data = {**{name: form.data[name] for name in form.fields}, "key": new_key()}
        form.add_error(None, "This form has launched before. Send it again to launch once more.")
    except Refusal as error:
        form.add_error(None, str(error))
    return None

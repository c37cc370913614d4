"""What the desk's forms send."""

from __future__ import annotations

from typing import Any

from django import forms

REASON_CHARS = 4000


class SeenForm(forms.Form):
    """`seen_digest` is of the arguments that the person's page showed."""

    seen_digest = forms.RegexField(regex=r"^[0-9a-f]{64}$", widget=forms.HiddenInput)


class ReasonForm(SeenForm):
    reason = forms.CharField(max_length=REASON_CHARS, required=False, strip=True)


class AskForm(SeenForm):
    question = forms.CharField(
        max_length=REASON_CHARS,
        strip=True,
        error_messages={"required": "Write what you want to know: the agent answers exactly that."},
    )


class DecisionForm(ReasonForm):
    """A rejection's `reason` is the usual one chosen, in `canned`, followed by words of one's own.
    `then`: what a rejection means for the execution. `typed`: what an approval had to repeat."""

    decision = forms.ChoiceField(choices=[("approve", "approve"), ("reject", "reject")])
    canned = forms.CharField(max_length=200, required=False, strip=True)
    then = forms.ChoiceField(choices=[("again", "again"), ("stop", "stop")], required=False)
    typed = forms.CharField(max_length=400, required=False, strip=True)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("decision") == "reject" and values.get("canned"):
            own = values.get("reason", "")
            values["reason"] = f"{values['canned'].rstrip('.')}. {own}".strip()
        return values


class CancelForm(forms.Form):
    reason = forms.CharField(
        max_length=1000,
        strip=True,
        error_messages={"required": "Say why: whoever finds it cancelled wants to know."},
    )


class SettleForm(ReasonForm):
    verdict = forms.ChoiceField(
        choices=[("happened", "happened"), ("run", "run"), ("drop", "drop")],
        error_messages={"required": "Say what happened."},
    )

"""What the desk's forms send."""

from __future__ import annotations

from django import forms

REASON_CHARS = 4000


class SeenForm(forms.Form):
    """`seen_digest` is of the arguments that the person's page showed."""

    seen_digest = forms.RegexField(regex=r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
    reason = forms.CharField(max_length=REASON_CHARS, required=False, strip=True)


class AskForm(SeenForm):
    reason = None
    question = forms.CharField(
        max_length=REASON_CHARS,
        strip=True,
        error_messages={"required": "Write what you want to know: the agent answers exactly that."},
    )


class DecisionForm(SeenForm):
    decision = forms.ChoiceField(choices=[("approve", "approve"), ("reject", "reject")])


class SettleForm(SeenForm):
    verdict = forms.ChoiceField(
        choices=[("happened", "happened"), ("run", "run"), ("drop", "drop")],
        error_messages={"required": "Say what happened."},
    )

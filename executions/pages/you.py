"""What a person sets for themselves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from agentops.accounts.keys import KEYS, Key, faults, own_of, strokes_of
from agentops.accounts.models import ZONES
from executions.pages.frame import PersonRequest, page


class YouForm(forms.Form):
    """Its fields are named like the person's own; beside them `key_…` for each key, empty for the
    usual one."""

    time_zone = forms.ChoiceField(
        required=False,
        choices=[("", "as the site has it"), *((name, name.replace("_", " ")) for name in ZONES)],
    )
    shortcuts = forms.BooleanField(required=False)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for key in KEYS:
            self.fields[f"key_{key.action}"] = KeyField(key)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        strokes = strokes_of({key.action: values.get(f"key_{key.action}", "") for key in KEYS})
        for action, wrong in faults(strokes).items():
            self.add_error(f"key_{action}", wrong)
        return {**values, "keys": own_of(strokes)}

    def key_fields(self) -> list[forms.BoundField]:
        return [self[f"key_{key.action}"] for key in KEYS]


class KeyField(forms.CharField):
    def __init__(self, key: Key) -> None:
        look = {"size": 2, "placeholder": key.usual, "autocapitalize": "none"}
        widget = forms.TextInput(attrs={**look, "autocomplete": "off", "spellcheck": "false"})
        label = key.words[0].upper() + key.words[1:]
        super().__init__(label=label, required=False, strip=False, widget=widget)


@require_http_methods(["GET", "HEAD", "POST"])
def you(request: PersonRequest) -> HttpResponse:
    person, names = request.user, [*YouForm.base_fields, "keys"]
    now = {name: getattr(person, name) for name in names}
    now |= {f"key_{action}": stroke for action, stroke in person.keys.items()}
    form = YouForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        for name in names:
            setattr(person, name, form.cleaned_data[name])
        person.save(update_fields=names)
        messages.success(request, "Saved. It counts from now on.")
        return redirect("you")
    context = {
        "form": form,
        "now": timezone.now(),
        "site_zone": timezone.get_default_timezone_name(),
    }
    return page(request, "pages/you.html", context, here="you", status=422 if form.errors else 200)

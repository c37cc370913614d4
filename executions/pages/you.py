"""What a person sets for themselves."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from agentops.accounts.models import ZONES
from executions.pages.frame import PersonRequest, page


class YouForm(forms.Form):
    """Its fields are named like the person's own."""

    time_zone = forms.ChoiceField(
        required=False,
        choices=[("", "as the site has it"), *((name, name.replace("_", " ")) for name in ZONES)],
    )
    shortcuts = forms.BooleanField(required=False)


@require_http_methods(["GET", "HEAD", "POST"])
def you(request: PersonRequest) -> HttpResponse:
    person, names = request.user, list(YouForm.base_fields)
    now = {name: getattr(person, name) for name in names}
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

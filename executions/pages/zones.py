"""Times are shown in the reader's own zone; rows and data have UTC or an offset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from agentops.accounts.models import ZONES
from executions.pages.frame import PersonRequest, page


class ReadersZone:
    """Middleware: from the view on, `localtime` is the time of whoever is logged in.

    In `process_view`, behind the check of the form's token: it reads the person from the database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        if request.user.is_authenticated and request.user.zone:
            timezone.activate(request.user.zone)


class ZoneForm(forms.Form):
    time_zone = forms.ChoiceField(
        required=False,
        choices=[("", "as the site has it"), *((name, name.replace("_", " ")) for name in ZONES)],
    )


@require_http_methods(["GET", "HEAD", "POST"])
def you(request: PersonRequest) -> HttpResponse:
    """What a person sets for themselves."""
    form = ZoneForm(request.POST or None, initial={"time_zone": request.user.time_zone})
    if request.method == "POST" and form.is_valid():
        request.user.time_zone = form.cleaned_data["time_zone"]
        request.user.save(update_fields=["time_zone"])
        messages.success(request, "Saved. Times are shown so from now on.")
        return redirect("you")
    context = {
        "form": form,
        "now": timezone.now(),
        "site_zone": timezone.get_default_timezone_name(),
    }
    return page(request, "pages/you.html", context, here="you", status=422 if form.errors else 200)

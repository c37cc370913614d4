"""Times are shown in the reader's own zone; rows and data have UTC or an offset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone


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

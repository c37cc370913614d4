"""An admin to look with: nothing is added, changed or deleted, not even by a superuser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display

from executions.admin.paginator import EstimatedPaginator

NO_BREAK = "\N{NO-BREAK SPACE}"
Shown = TypeVar("Shown", bound=Callable[..., Any])


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    sortable_by = ()
    paginator = EstimatedPaginator
    actions = None
    list_fullwidth = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def column(description: str, **unfold: Any) -> Callable[[Shown], Shown]:
    """Return Unfold's `display` decorator, with types; `unfold` are its own arguments."""
    decorator: Callable[[Shown], Shown] = display(description=description, **unfold)
    return decorator


def exact_moment(at: datetime) -> str:
    """Return a time in the site's zone to the second, for lists, where it stays on one line."""
    return f"{timezone.localtime(at):%-d %b %y, %H:%M:%S}".replace(" ", NO_BREAK)

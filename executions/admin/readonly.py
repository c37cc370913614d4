"""An admin to look with: nothing is added, changed or deleted, not even by a superuser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display

from executions.admin.paginator import EstimatedPaginator

Shown = TypeVar("Shown", bound=Callable[..., Any])

START_OF_ID = re.compile(r"[0-9a-f]{4,32}")


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
    """Return a time in the site's zone to the second, for lists."""
    return f"{timezone.localtime(at):%-d %b %y, %H:%M:%S}"


def with_id_from(rows: QuerySet[Any], term: str, *, field: str = "pk") -> QuerySet[Any] | None:
    """Return the rows whose UUID begins with `term`, by its index; None if no UUID does."""
    digits = term.lower().replace("-", "")
    if not START_OF_ID.fullmatch(digits):
        return None
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return rows.filter(**{f"{field}__gte": first, f"{field}__lte": last})


def first_that_finds(*searches: QuerySet[Any] | None) -> QuerySet[Any] | None:
    """Return the first search with a result, so that each can use an index of its own."""
    return next((rows for rows in searches if rows is not None and rows.exists()), None)

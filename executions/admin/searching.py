"""Search in lists of millions of rows: only by what an index answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from executions.admin.readonly import ReadOnlyAdmin
from executions.pages.frame import PersonRequest

START_OF_ID = re.compile(r"[0-9a-f]{4,32}")

Search = QuerySet[Any] | None


class SearchedAdmin(ReadOnlyAdmin):
    """A list that is searched one index after the other, and rows that are shown with more than
    their fields."""

    def searches(self, rows: QuerySet[Any], term: str) -> Iterable[Search]:
        """Return what a term may stand for, each answered by an index of its own."""
        raise NotImplementedError

    def shown_with(self, request: PersonRequest, pk: UUID) -> dict[str, Any]:
        """Return what the page of a row shows beside its fields; empty without such a row."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Take the first search with a result; other words find nothing rather than everything."""
        term = search_term.strip()
        if not term:
            return queryset, False
        searches = self.searches(queryset, term)
        found = next((rows for rows in searches if rows is not None and rows.exists()), None)
        return queryset.none() if found is None else found, False

    def change_view(
        self,
        request: PersonRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            context = self.shown_with(request, UUID(object_id))
        except ValueError:
            context = {}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response


def with_id_from(rows: QuerySet[Any], term: str, *, field: str = "pk") -> Search:
    """Return the rows whose UUID begins with `term`, by its index; None if no UUID does."""
    digits = term.lower().replace("-", "")
    if not START_OF_ID.fullmatch(digits):
        return None
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return rows.filter(**{f"{field}__gte": first, f"{field}__lte": last})

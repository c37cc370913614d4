"""Counting that stays fast on tables of ten million rows."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet

CAP = 10_000
"""Beyond so many rows a count is an estimate, and nobody pages: searching finds better."""


class EstimatedPaginator(Paginator):
    """Exact up to CAP rows; above, PostgreSQL's own estimate, or "more than" with a filter."""

    template_name = "admin/executions/pagination.html"
    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        if not self._is_filtered and (estimate := self._estimate()) > CAP:
            return estimate
        return self._counted

    @cached_property
    def num_pages(self) -> int:
        within = min(self.count, CAP)
        return max(1, -(-within // self.per_page))

    @property
    def qualifier(self) -> str:
        """Return the word before the count: none when it is exact."""
        if self.count < CAP:
            return ""
        return "about" if self.count > CAP else "more than"

    @property
    def _is_filtered(self) -> bool:
        return bool(self.object_list.query.where)

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by()[:CAP].count()

    def _estimate(self) -> int:
        """Return the planner's idea of the table's size; -1 before its first ANALYZE."""
        table = connection.ops.quote_name(self.object_list.model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table]
            )
            return int(cursor.fetchone()[0])

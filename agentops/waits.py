"""How long a page may wait for the database: a person who waits wants an answer, even "busy"."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse


def limited_waits(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: limits for this request's connection. The engine's own have none.

    Set for each request: a connection may be a new one, or have been reset by a pool.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        with connection.wrap_database_errors:  # so that its loss is told like any other
            connection.connection.execute(
                f"SET lock_timeout = '{settings.AGENTOPS_WEB_LOCK_S}s';"
                f" SET statement_timeout = '{settings.AGENTOPS_WEB_STATEMENT_S}s'"
            )
        return get_response(request)

    return middleware

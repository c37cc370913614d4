"""Middleware of the benchmark's web server: each answer says what it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

QUERIES, CPU_MS = "X-Queries", "X-CPU-Ms"


def count(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        queries, began = 0, time.thread_time()

        def counted(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal queries
            queries += 1
            return execute(*arguments)

        with connection.execute_wrapper(counted):
            response = get_response(request)
        response.headers[QUERIES] = str(queries)
        response.headers[CPU_MS] = f"{1000 * (time.thread_time() - began):.2f}"
        return response

    return middleware

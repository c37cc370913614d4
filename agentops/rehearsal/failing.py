"""Failing below the answer: error statuses, broken connections, bodies that are not answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from aiohttp import web

from agentops.rehearsal.faults import Fault

LONGEST_SILENCE_S = 3_600.0
_HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_SENTENCES = {
    400: ("Invalid value for the request.", "invalid_request_error", None),
    401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    403: ("Your account may not use this model.", "invalid_request_error", None),
    404: ("The model does not exist.", "invalid_request_error", "model_not_found"),
    429: ("Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
}


def error_response(
    status: int, message: str, *, kind: str = "invalid_request_error", code: str | None = None
) -> web.Response:
    """Return an error as the API words it."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    return web.json_response({"error": error}, status=status)


async def break_off(request: web.Request, fault: Fault) -> web.StreamResponse:
    """Answer a request with a fault that needs no played answer."""
    if fault.fault.isdigit():
        return _status(int(fault.fault), fault)
    if fault.fault == "quota":
        return error_response(429, "You exceeded your current quota.", code="insufficient_quota")
    if fault.fault == "html":
        return web.Response(text=_HTML, status=fault.status or 200, content_type="text/html")
    if fault.fault == "timeout":
        await asyncio.sleep(min(fault.delay_s or LONGEST_SILENCE_S, LONGEST_SILENCE_S))
    if fault.fault == "reset" and request.transport is not None:
        request.transport.abort()
    if fault.fault in ("drip", "cut"):
        return await _stream(request, fault)
    text = '{"choices": [' if fault.fault == "not_json" else ""
    return web.Response(text=text, status=fault.status or 200, content_type="application/json")


def _status(status: int, fault: Fault) -> web.Response:
    message, kind, code = _SENTENCES.get(status, ("The server had an error.", "server_error", None))
    response = error_response(status, message, kind=kind, code=code)
    wait = fault.retry_after
    if isinstance(wait, str) and wait.startswith("date:"):
        due = datetime.now(UTC) + timedelta(seconds=float(wait.removeprefix("date:")))
        response.headers["Retry-After"] = format_datetime(due, usegmt=True)
    elif wait is not None:
        response.headers["Retry-After"] = f"{wait:g}" if isinstance(wait, float) else str(wait)
    return response


async def _stream(request: web.Request, fault: Fault) -> web.StreamResponse:
    """Send a body a byte at a time (drip), or break off in its middle (cut)."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 100_000
    await response.prepare(request)
    if fault.fault == "cut":
        await response.write(b'{"id": "')
        if request.transport is not None:
            request.transport.abort()
        return response
    for _ in range(100_000):
        await response.write(b" ")
        await asyncio.sleep(fault.delay_s or 1.0)
    return response

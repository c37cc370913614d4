"""One LLM endpoint over HTTP: the vendor's client, with our deadline, bounds and errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx2
import openai

from executions.core.transcript import Reply
from executions.llm import body as bodies
from executions.llm.errors import bad_reply, from_exception, timed_out
from executions.llm.port import LLMError, Request

CONNECT_TIMEOUT_S = 5.0
MAX_REPLY_BYTES = 4 * 1024 * 1024
SECRET_CHARS = 12  # a shorter key is a word, for a server that asks for none
# Common servers drop an idle connection after 5 s; a request sent into that moment is lost.
KEEPALIVE_S = 4.0
# It tells of every request at INFO; the step's row says more.
_HTTP_LOG = logging.getLogger("httpx2")
if _HTTP_LOG.level == logging.NOTSET:
    _HTTP_LOG.setLevel(logging.WARNING)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Dialect(Protocol):
    """One API: where requests go, how one is written, how its answer is read."""

    PATH: str

    def wire(self, request: Request) -> dict[str, Any]: ...

    def read(self, response: Any, *, request_chars: int = 0) -> Reply: ...


class HttpLLM:
    """An `LLM` that speaks one dialect to one endpoint; `capacity` requests may fly at once."""

    def __init__(
        self, *, dialect: Dialect, api_key: str, base_url: str | None, capacity: int
    ) -> None:
        self._dialect = dialect
        self._client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            http_client=_transport(capacity=capacity, base_url=base_url),
        )
        self._endpoint = f"{self._client.base_url.host}{_port_of(str(self._client.base_url))}"

    async def ask(self, request: Request, *, timeout_s: float) -> Reply:
        """Make one try of at most `timeout_s` seconds. Raises LLMError without the key in it."""
        try:
            return await self._ask(request, timeout_s=timeout_s)
        except LLMError as error:
            if len(self._client.api_key) >= SECRET_CHARS:
                error.args = (str(error).replace(self._client.api_key, "[key]"),)
            raise

    async def _ask(self, request: Request, *, timeout_s: float) -> Reply:
        body = self._dialect.wire(request)
        content = _encoded(body)
        raw = await self._post(content, timeout_s=timeout_s)
        reply = self._dialect.read(_parsed(raw), request_chars=len(content))
        return replace(reply, llm=reply.llm or request.llm, request_digest=bodies.digest(body))

    async def close(self) -> None:
        """Close every connection; the object is of no use afterwards."""
        await self._client.close()

    async def _post(self, content: bytes, *, timeout_s: float) -> bytes:
        try:
            # The transport's timeouts start anew with each byte: a slow drip outlives them all.
            async with asyncio.timeout(timeout_s):
                # Raw bytes in and out: the SDK's typed path costs CPU, raises on whatever is not
                # in its types, and hides from us what was really sent and answered.
                response = await self._client.post(
                    self._dialect.PATH,
                    cast_to=httpx2.Response,
                    content=content,
                    options={
                        "headers": {
                            "Content-Type": "application/json",
                            # Compressed, a small answer may unfold beyond any bound.
                            "Accept-Encoding": "identity",
                        },
                        "timeout": _timeouts(timeout_s),
                    },
                )
                return response.content
        except TimeoutError:
            raise timed_out(timeout_s) from None
        except Exception as error:
            # The transport leaks exceptions of three libraries; none of them may end a run.
            raise from_exception(error, endpoint=self._endpoint, timeout_s=timeout_s) from error


class _Bounded(httpx2.AsyncByteStream):
    """A response body that refuses to grow beyond `MAX_REPLY_BYTES`."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MAX_REPLY_BYTES:
                raise bad_reply(f"is larger than {MAX_REPLY_BYTES:,} bytes", chunk[:200])
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx2.Response) -> None:
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream)


def _transport(*, capacity: int, base_url: str | None) -> httpx2.AsyncClient:
    """Return the aiohttp transport: at 1,000 requests in flight the default one collapses."""
    host = urlsplit(base_url or "").hostname
    return openai.DefaultAioHttpClient(
        limits=httpx2.Limits(
            max_connections=capacity,
            max_keepalive_connections=capacity,
            keepalive_expiry=KEEPALIVE_S,
        ),
        timeout=_timeouts(60.0),
        event_hooks={"response": [_bound]},
        # A proxy from the environment cannot reach this machine's own loopback.
        trust_env=host not in _LOOPBACK,
    )


def _timeouts(timeout_s: float) -> httpx2.Timeout:
    return httpx2.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s))


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return bodies.encode(body)
    except (ValueError, TypeError, RecursionError) as error:
        raise LLMError(
            f"The request cannot be written as JSON: {error}",
            code="LLM_BAD_REQUEST",
            retryable=False,
        ) from error


def _parsed(raw: bytes) -> Any:
    if not raw.strip():
        raise bad_reply("is empty", "")
    try:
        return bodies.parse(raw)
    except ValueError as error:
        raise bad_reply(f"is not JSON ({str(error)[:100]})", raw) from None


def _port_of(url: str) -> str:
    port = urlsplit(url).port
    return f":{port}" if port else ""

"""The key of the LLM endpoint is in no error, whatever the endpoint quotes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from executions.llm.factory import make_llm
from executions.llm.port import LLMError
from tests.llm.asking import APIS, conversing

KEY = "9f86d081884c7d659a2feaa0c55ad015"  # no prefix tells that this is one


@contextmanager
def endpoint_that_quotes(status: int) -> Iterator[str]:
    """A real HTTP server that answers with the header that holds the key."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            error = {"message": f"not known: {self.headers['Authorization']}"}
            body = json.dumps({"error": error}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def refused(api: str, base_url: str) -> LLMError:
    llm = make_llm(api=api, base_url=base_url, api_key=KEY, capacity=1)
    try:
        with pytest.raises(LLMError) as caught:
            await llm.ask(conversing(), timeout_s=10)
        return caught.value
    finally:
        await llm.close()


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_key_that_the_endpoint_quotes_is_not_told_on(api: str, status: int) -> None:
    """I15: the message goes into rows, onto pages and into the agent's switch."""
    with endpoint_that_quotes(status) as base_url:
        error = asyncio.run(refused(api, base_url))
    assert "[key]" in str(error)
    assert KEY not in str(error)

"""An LLM endpoint that cannot be reached: each way of it, over both APIs, with its sentence."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from executions.llm.port import LLMError
from tests.llm.asking import APIS, at, conversing
from tests.rehearsal_server import RehearsalServer

TIMEOUT_S = 0.4


def refused(base_url: str, api: str) -> LLMError:
    with pytest.raises(LLMError) as caught:
        at(base_url, api, lambda llm: llm.ask(conversing(), timeout_s=TIMEOUT_S))
    return caught.value


@pytest.mark.parametrize("api", APIS)
def test_a_name_that_does_not_resolve_is_tried_again(api: str) -> None:
    """M2: DNS fails."""
    error = refused("http://llm.invalid:8000/v1", api)
    assert (error.code, error.retryable) == ("LLM_UNAVAILABLE", True)
    assert "llm.invalid:8000 cannot be reached" in str(error)


@pytest.mark.parametrize("api", APIS)
def test_a_connection_that_cannot_be_secured_is_tried_again(
    server: RehearsalServer, api: str
) -> None:
    """M2: the other side does not speak TLS."""
    error = refused(server.base_url.replace("http:", "https:"), api)
    assert (error.code, error.retryable) == ("LLM_UNAVAILABLE", True)
    assert "cannot be reached, or broke the connection" in str(error)


@pytest.mark.parametrize("api", APIS)
def test_a_connection_that_is_not_taken_ends_in_time(api: str) -> None:
    """M3: the other side's host takes no further connection and does not refuse it either."""
    with full_listener() as port:
        began = time.monotonic()
        error = refused(f"http://127.0.0.1:{port}/v1", api)
        took_s = time.monotonic() - began
    assert (error.code, error.retryable) == ("LLM_TIMEOUT", True)
    assert TIMEOUT_S <= took_s < TIMEOUT_S + 5


@contextmanager
def full_listener() -> Iterator[int]:
    """A port whose queue of connections is full, so that the kernel answers nobody."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        while True:
            one = socket.socket()
            one.settimeout(0.1)
            waiting.append(one)
            try:
                one.connect(listener.getsockname())
            except TimeoutError:
                break
        yield listener.getsockname()[1]
        for one in waiting:
            one.close()

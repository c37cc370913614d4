"""The database of a command: the server DATABASE_URL names, else the embedded one."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from agentops import environment
from agentops.embedded_postgres import EmbeddedPostgres


@contextlib.contextmanager
def site_database() -> Iterator[None]:
    """Hold the embedded server, when one is needed, and say where it is in AGENTOPS_PG_SOCKET.

    Children inherit the variable and need not hold anything. Raises `EmbeddedPostgresError`.
    """
    environment.load_env_file()
    if not needs_embedded_server():
        yield
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _exit)  # so that the server is let go
    with EmbeddedPostgres(base=environment.LOCAL_DIR / "pg") as server:
        os.environ["AGENTOPS_PG_SOCKET"] = str(server.socket_folder)
        try:
            yield
        finally:
            del os.environ["AGENTOPS_PG_SOCKET"]


def needs_embedded_server() -> bool:
    named = os.environ.get("DATABASE_URL") or os.environ.get("AGENTOPS_PG_SOCKET")
    return not named and os.environ.get("AGENTOPS_ENV") != "production"


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)

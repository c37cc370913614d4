"""What the faults of notifications share: the outbox, the time that passes, and who takes posts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.db.models import F
from django.db.models.functions import Now

from executions.models import AgentNotification, AgentReview
from tests import factories
from tests.executions import desk

SITE = "https://agentops.example.com"
SECRETS = ("ana.duarte", "Marlowe", "Your report", "it is filed", desk.SAYS)
"""What no notification may hold."""


def later(minutes: int = 60) -> None:
    """Time passes for the outbox."""
    ago = timedelta(minutes=minutes)
    AgentNotification.objects.update(created_at=F("created_at") - ago, due_at=F("due_at") - ago)


def of(review: AgentReview) -> AgentNotification:
    return AgentNotification.objects.get(review=review, stage="opened")


def spend(review: AgentReview, percent: float) -> AgentReview:
    """So much of the review's time passes."""
    assert review.expires_at
    whole = review.expires_at - review.created_at
    begun = Now() - whole * (percent / 100)
    factories.change(review, created_at=begun, expires_at=begun + whole)
    return review


@contextmanager
def hook_server(status: int = 204) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A real HTTP server that keeps (signature, body) of what it is sent."""
    taken: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.headers["AgentOps-Signature"], body))
            self.send_response(server.status)  # type: ignore[attr-defined]
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.status = status  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

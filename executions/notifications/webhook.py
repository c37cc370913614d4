"""The same news as a signed POST to one address of the site's own, when it has one.

Header `AgentOps-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 of "<t>.<body>" under
AGENTOPS_WEBHOOK_SECRET. Whoever takes it must compare the signature and refuse an old `t`.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
import urllib.request
from typing import Any

from django.conf import settings

from executions.models import AgentNotification
from executions.notifications.letters import link
from tools.deadline import cut_after

TOLD = "webhook"  # stands among the ids of the people who were told
TIMEOUT_S = 5.0
HEADER = "AgentOps-Signature"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class _Timed(http.client.HTTPConnection):
    """One that drips its answer, byte by byte, would hold all other news up."""

    def getresponse(self) -> http.client.HTTPResponse:
        with cut_after(TIMEOUT_S, self.sock):
            return super().getresponse()


class _TimedSecured(_Timed, http.client.HTTPSConnection): ...


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Timed, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_TimedSecured, req)


_opener = urllib.request.build_opener(_NoRedirect, _Http, _Https)


def is_wanted() -> bool:
    return bool(settings.AGENTOPS_WEBHOOK_URL)


def is_done(one: AgentNotification) -> bool:
    return not is_wanted() or TOLD in one.told


def send(one: AgentNotification) -> None:
    """Post one notification, unless that was done; raises OSError, or HTTPException for what is no
    HTTP, for anything but a 2xx."""
    if TOLD in one.told:
        return
    body = json.dumps(_news(one)).encode()
    headers = {"Content-Type": "application/json", HEADER: sign(body, at=int(time.time()))}
    request = urllib.request.Request(  # noqa: S310 - the settings let http and https through only
        str(settings.AGENTOPS_WEBHOOK_URL), data=body, headers=headers, method="POST"
    )
    with _opener.open(request, timeout=TIMEOUT_S):
        pass
    one.tell(TOLD)


def sign(body: bytes, *, at: int) -> str:
    secret = settings.AGENTOPS_WEBHOOK_SECRET.encode()
    digest = hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _news(one: AgentNotification) -> dict[str, Any]:
    """Return what is told: where to look, and nothing of what it says there."""
    review = one.review
    return {
        "id": str(one.pk),
        "event": f"review.{one.stage}",
        "review_id": str(review.pk),
        "kind": review.kind,
        "status": review.status,
        "tool": review.tool_name,
        "risk": review.risk,
        "votes": review.required_votes,
        "expires_at": review.expires_at and review.expires_at.isoformat(),
        "url": link(review),
    }

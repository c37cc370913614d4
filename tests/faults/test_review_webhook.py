"""The signed webhook: provably ours, without details, and no burden to the mail beside it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.mail import EmailMessage
from pytest_django import Settings

from agentops import checks
from agentops.accounts.models import User
from executions import operations
from executions.notifications import outbox, webhook
from executions.notifications.outbox import deliver
from tests.executions import desk
from tests.faults.outbox import SECRETS, SITE, hook_server, later, of, spend


@pytest.mark.django_db
def test_a_webhook_is_signed_and_holds_no_details(
    team: dict[str, User], settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    """O3: the same news, provably ours, and still only a link."""
    settings.AGENTOPS_WEBHOOK_SECRET = "a secret of the site"
    review = desk.proposed(risk="high")
    with hook_server() as (address, taken):
        settings.AGENTOPS_WEBHOOK_URL = address
        deliver()
    ((signature, body),) = taken
    at, digest = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", signature).groups()  # type: ignore[union-attr]
    expected = hmac.new(b"a secret of the site", f"{at}.".encode() + body, hashlib.sha256)
    assert hmac.compare_digest(digest, expected.hexdigest())
    news = json.loads(body)
    assert (news["event"], news["tool"], news["risk"]) == ("review.opened", "send_email", "high")
    assert news["url"] == f"{SITE}{desk.url(review)}"
    assert "ana.duarte" not in body.decode()
    assert len(mailoutbox) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("status", [302, 410, 500])
def test_a_webhook_that_says_no_is_tried_again_and_costs_no_mail(
    team: dict[str, User], settings: Settings, mailoutbox: list[EmailMessage], status: int
) -> None:
    """O3: its failures are its own; a redirect is not followed."""
    settings.AGENTOPS_WEBHOOK_SECRET = "a secret of the site"
    review = desk.proposed(risk="high")
    with hook_server(status) as (address, taken):
        settings.AGENTOPS_WEBHOOK_URL = address
        assert deliver() == {"due": 1, "sent": 2, "failed": 1}
        assert len(taken) == 1
        assert len(mailoutbox) == 2
        assert of(review).closed_at is None
    with hook_server() as (address, taken):
        settings.AGENTOPS_WEBHOOK_URL = address
        later()
        assert deliver() == {"due": 1, "sent": 1, "failed": 0}
    assert len(mailoutbox) == 2
    assert of(review).closed_at


@contextmanager
def babbler(*parts: bytes) -> Iterator[str]:
    """A server that answers whatever it is sent with these bytes, one part each tenth of a second,
    the last of them for ever."""
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def babble() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                peer.recv(65_536)
                with suppress(OSError), peer:
                    for part in chain(parts, repeat(parts[-1])):
                        peer.sendall(part)
                        if done.wait(0.1):
                            return

    thread = threading.Thread(target=babble)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "parts",
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n",),
        (b"HTTP/1.1 204 ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
    ],
)
def test_a_webhook_that_babbles_or_never_ends_costs_no_mail(
    team: dict[str, User],
    settings: Settings,
    mailoutbox: list[EmailMessage],
    monkeypatch: pytest.MonkeyPatch,
    parts: tuple[bytes, ...],
) -> None:
    """O3: what is no HTTP is a failure like any other; what comes in drops is cut off."""
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.5)
    settings.AGENTOPS_WEBHOOK_SECRET = "a secret of the site"
    desk.proposed(risk="high")
    with babbler(*parts) as address:
        settings.AGENTOPS_WEBHOOK_URL = address
        began = time.monotonic()
        deliver()
        assert time.monotonic() - began < 5
    assert len(mailoutbox) == 2


@pytest.mark.django_db
def test_a_slow_webhook_leaves_time_for_the_mail(
    team: dict[str, User],
    settings: Settings,
    mailoutbox: list[EmailMessage],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """O3: what it did not get this time it gets the next time."""
    monkeypatch.setattr(outbox, "HOOK_S", 0.0)
    settings.AGENTOPS_WEBHOOK_SECRET = "a secret of the site"
    review = desk.proposed(risk="high")
    with hook_server() as (address, taken):
        settings.AGENTOPS_WEBHOOK_URL = address
        deliver()
        assert (len(taken), len(mailoutbox), of(review).closed_at) == (0, 2, None)
        monkeypatch.setattr(outbox, "HOOK_S", 15.0)
        later()
        deliver()
    assert (len(taken), len(mailoutbox)) == (1, 2)
    assert of(review).closed_at


def test_a_webhook_without_a_secret_is_refused_at_boot(settings: Settings) -> None:
    settings.AGENTOPS_WEBHOOK_URL = "https://chat.example.com/hook"
    settings.AGENTOPS_WEBHOOK_SECRET = "short"
    assert [one.id for one in checks.a_webhook_is_signed(None)] == ["agentops.E002"]
    settings.AGENTOPS_WEBHOOK_SECRET = "long enough to be a secret"
    assert checks.a_webhook_is_signed(None) == []


@pytest.mark.django_db
def test_a_webhook_hears_each_stage_and_of_the_end(
    leads: Group, told: Any, team: dict[str, User], settings: Settings
) -> None:
    """O3: nothing of what it says, and only of an end whose beginning it heard of."""
    settings.AGENTOPS_WEBHOOK_SECRET = "a secret of the site"
    review, unheard = desk.proposed(risk="high"), desk.proposed()
    with hook_server() as (address, taken):
        settings.AGENTOPS_WEBHOOK_URL = address
        told()
        spend(review, 80)
        told()
        for one in (review, unheard):
            operations.decide(
                review_id=one.pk, person=team["rita"], approve=False, reason="no",
                seen_digest=one.input_digest,
            )  # fmt: skip
        later()
        told()
        told()
    news = [json.loads(body) for _, body in taken]
    assert [(one["event"], one["status"]) for one in news] == [
        ("review.opened", "open"), ("review.reminded", "open"),
        ("review.escalated", "open"), ("review.closed", "rejected"),
    ]  # fmt: skip
    assert len({one["id"] for one in news}) == 4
    assert not any(secret.encode() in body for _, body in taken for secret in SECRETS)
    assert not unheard.notifications.filter(stage="closed").exists()


@pytest.mark.django_db
def test_without_a_webhook_no_end_leaves_a_row(team: dict[str, User], told: Any) -> None:
    review = desk.proposed(risk="high")
    told()
    operations.decide(
        review_id=review.pk, person=team["rita"], approve=True, seen_digest=review.input_digest
    )
    assert list(review.notifications.values_list("stage", flat=True)) == ["opened"]
    assert of(review).closed_at

"""What the mail server does, and what becomes known of the message."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
from django.core import mail
from pytest_django import Settings

from tests.tools.calling import KEY, run
from tests.tools.mail_server import Mailbox
from tools.base import OutcomeUnknown, ToolError

ANA = "ana.duarte@marlowe-shipping.example"

pytestmark = pytest.mark.usefixtures("records")


def _asked(**changes: Any) -> dict[str, Any]:
    usual = {"to": [ANA], "subject": "Your record", "body": "Dear Ms Duarte,\n\nall is well."}
    return {**usual, **changes}


def test_one_refused_recipient_of_three_is_recorded_and_the_others_get_it(mailbox: Mailbox) -> None:
    """T6: the rest is not held up by it."""
    everybody = [ANA, "lena@hallberg.example", "omar@hallberg.example"]
    mailbox.refuse = {"lena@hallberg.example": "550 5.1.1 no such mailbox"}
    output = run("send_email", _asked(to=everybody))
    assert output["accepted"] == [ANA, "omar@hallberg.example"]
    assert output["refused"] == [
        {"address": "lena@hallberg.example", "reason": "550 5.1.1 no such mailbox"}
    ]
    assert [recipients for recipients, _ in mailbox.arrived] == [[ANA, "omar@hallberg.example"]]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"refuse": {ANA: "550 no such mailbox"}}, "refused every recipient.*550 no such mailbox"),
        ({"refuse": {ANA: "421 closing"}}, "closing; nothing was sent"),
        ({"on_mail": "530 log in first"}, "refused us as sender: 530 log in first"),
        ({"on_data": "refuse"}, "refused the message: 554 5.7.1 that looks like spam"),
    ],
)
def test_a_refusal_by_the_server_is_told_in_its_words(
    mailbox: Mailbox, trouble: dict[str, Any], words: str
) -> None:
    for name, value in trouble.items():
        setattr(mailbox, name, value)
    with pytest.raises(ToolError, match=words):
        run("send_email", _asked())
    assert mailbox.arrived == []


def test_a_server_that_is_down_means_that_nothing_was_sent(
    mailbox: Mailbox, settings: Settings
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = unused.getsockname()[1]
        with pytest.raises(ToolError, match="out of reach; nothing was sent"):
            run("send_email", _asked())


@pytest.mark.parametrize(("on_data", "arrived"), [("drop", 1), ("vanish", 0)])
def test_a_connection_lost_while_handing_over_leaves_the_outcome_unknown(
    mailbox: Mailbox, on_data: str, arrived: int
) -> None:
    """T5: Both look the same from here, which is why only a person can say."""
    mailbox.on_data = on_data
    with pytest.raises(OutcomeUnknown, match=f"may have left.*{KEY}@agentops.invalid"):
        run("send_email", _asked())
    assert len(mailbox.arrived) == arrived


def _dripping_server(script: list[bytes]) -> tuple[int, threading.Thread]:
    """A server that answers each command from `script`, then drips one byte at a time for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    never = threading.Event()

    def serve() -> None:
        with listener, listener.accept()[0] as peer, peer.makefile("rb") as commands:
            peer.sendall(b"220 slow\r\n")
            for reply in script:
                commands.readline()
                peer.sendall(reply)
            try:
                while not never.wait(0.05):
                    peer.sendall(b"2")
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener.getsockname()[1], thread


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([b"250 hello\r\n"], ToolError),
        ([b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"], OutcomeUnknown),
    ],
)
def test_a_server_that_drips_is_left_at_the_deadline(
    mailbox: Mailbox, settings: Settings, script: list[bytes], error: type[Exception]
) -> None:
    settings.EMAIL_PORT, thread = _dripping_server(script)
    began = time.monotonic()
    with pytest.raises(error):
        run("send_email", _asked(), deadline_s=2.0)
    assert time.monotonic() - began < 3
    thread.join(5)
    assert not thread.is_alive()


def test_another_mail_backend_sends_too(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert run("send_email", _asked())["accepted"] == [ANA]
    assert mail.outbox[0].to == [ANA]


class FailingBackend(mail.backends.base.BaseEmailBackend):
    def send_messages(self, messages: Any) -> int:
        raise RuntimeError("the provider hung up")


class DeafBackend(mail.backends.base.BaseEmailBackend):
    def send_messages(self, messages: Any) -> int:
        return 0


def test_another_backend_that_fails_may_have_sent(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.FailingBackend"
    with pytest.raises(OutcomeUnknown, match="the provider hung up"):
        run("send_email", _asked())


def test_another_backend_that_took_nothing_has_not_sent(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.DeafBackend"
    with pytest.raises(ToolError, match="nothing was sent"):
        run("send_email", _asked())

"""A real SMTP server that keeps what it took and misbehaves on request."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Mailbox:
    """What arrived, as (recipients, message), and how to misbehave.

    `refuse`: answers by recipient; `on_data`: None, "refuse" (554), "drop" (take the message, then
    break the connection without an answer) or "vanish" (break it without taking the message).
    """

    refuse: dict[str, str] = field(default_factory=dict)
    on_mail: str = ""
    on_data: str = ""
    port: int = 0
    arrived: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802 aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.on_mail:
            return self.on_mail
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.on_data == "refuse":
            return "554 5.7.1 that looks like spam"
        if self.on_data != "vanish":
            message = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.arrived.append((list(envelope.rcpt_tos), message))
        if self.on_data in ("drop", "vanish"):
            server.transport.abort()
        return "250 queued"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A server on a free port, gone at the end."""
    mailbox = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        mailbox.port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()

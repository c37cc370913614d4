"""Handing one message to the mail server, knowing at each point whether it may have left."""

from __future__ import annotations

import hashlib
import smtplib
from contextlib import suppress
from dataclasses import dataclass
from email.encoders import encode_base64
from email.mime.base import MIMEBase
from email.utils import parseaddr
from typing import Any

from django.core import mail
from django.core.mail.backends.smtp import EmailBackend

from tools.base import OutcomeUnknown, ToolError, ToolUnavailable
from tools.deadline import Deadline, cut_after

OK = 250
WILL_FORWARD = 251
CLOSING = 421
REFUSALS = range(400, 600)
MESSAGE_ID_DOMAIN = "agentops.invalid"  # fixed, so that the key alone gives the id


@dataclass(frozen=True)
class Refused:
    """A recipient the server would not take, with its words."""

    address: str
    reason: str


def message_id(idempotency_key: str) -> str:
    """Return the Message-ID of the mail that this key stands for: the same on every try."""
    return f"<{idempotency_key}@{MESSAGE_ID_DOMAIN}>"


def attach(message: mail.EmailMessage, *, name: str, content: bytes, content_type: str) -> None:
    """Attach `content` so that it arrives byte for byte; as text its line ends would change."""
    kind, _, rest = content_type.partition("/")
    subtype, _, charset = rest.partition("; charset=")
    part = MIMEBase(kind, subtype)
    if charset:
        part.set_param("charset", charset)
    part.set_payload(content)
    encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=name)
    message.attach(part)


def source(message: mail.EmailMessage) -> str:
    """Return the message's source, with a line in place of each attachment's content."""
    built: Any = message.message()
    for part in built.walk():
        if part.get_content_disposition() == "attachment":
            content = part.get_payload(decode=True)
            digest = hashlib.sha256(content).hexdigest()
            part.set_payload(f"[{len(content):,} bytes as base64, sha256 {digest}]\n")
    text: str = built.as_bytes().decode("utf-8", "replace")
    return text


def deliver(message: mail.EmailMessage, *, deadline_s: float) -> list[Refused]:
    """Hand `message` over, once, by the site's mail backend; return the recipients refused.

    Raises ToolError when nothing left, OutcomeUnknown when the message may have left. Only SMTP
    tells the recipients apart; another backend takes all of them or raises.
    """
    deadline = Deadline(deadline_s)
    connection: Any = mail.get_connection(timeout=deadline.left())
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise ToolUnavailable(
            f"The mail server is out of reach; nothing was sent: {error}"
        ) from error
    try:
        if not isinstance(connection, EmailBackend):
            return _by_backend(connection, message)
        server: Any = connection.connection
        with cut_after(deadline.left(), server.sock):
            return _by_smtp(server, message)
    finally:
        # The message's fate is settled by now; a rude goodbye must not change the answer.
        with suppress(OSError, smtplib.SMTPException):
            connection.close()


def _by_backend(connection: Any, message: mail.EmailMessage) -> list[Refused]:
    try:
        sent = connection.send_messages([message])
    except Exception as error:
        raise OutcomeUnknown(f"The mail backend failed while sending: {_words(error)}") from error
    if not sent:
        raise ToolError("The mail backend took no message; nothing was sent.")
    return []


def _by_smtp(server: smtplib.SMTP, message: mail.EmailMessage) -> list[Refused]:
    built: Any = message.message()
    content = built.as_bytes(linesep="\r\n")
    try:
        refused = _envelope(server, message)
    except (OSError, smtplib.SMTPException) as error:
        raise ToolUnavailable(
            f"The mail server broke off; nothing was sent: {_words(error)}"
        ) from error
    try:
        code, reply = server.data(content)
    except smtplib.SMTPDataError as error:  # refused before a byte of the message was sent
        raise ToolError(f"The mail server refused the message: {_words(error)}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise _may_have_left(message, _words(error)) from error
    if code in REFUSALS:
        raise ToolError(f"The mail server refused the message: {_reply(code, reply)}")
    if code != OK:  # smtplib takes half a reply for a whole one when the connection ends within it
        raise _may_have_left(message, f"its answer makes no sense ({_reply(code, reply)})")
    return refused


def _may_have_left(message: mail.EmailMessage, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        "The mail server did not say what became of the message, so it may have left: "
        f"{why}. Its Message-ID is {message.extra_headers.get('Message-ID')}."
    )


def _envelope(server: smtplib.SMTP, message: mail.EmailMessage) -> list[Refused]:
    """Name sender and recipients; ToolError unless at least one recipient is taken."""
    server.ehlo_or_helo_if_needed()
    options = ["BODY=8BITMIME"] if server.has_extn("8bitmime") else []
    code, reply = server.mail(parseaddr(message.from_email)[1], options)
    if code != OK:
        raise ToolUnavailable(f"The mail server refused us as sender: {_reply(code, reply)}")
    refused = []
    for address in message.recipients():
        code, reply = server.rcpt(address)
        if code == CLOSING:
            said = _reply(code, reply)
            raise ToolUnavailable(f"The mail server is closing; nothing was sent: {said}")
        if code not in (OK, WILL_FORWARD):
            refused.append(Refused(address, _reply(code, reply)))
    if len(refused) == len(message.recipients()):
        told = "; ".join(f"{one.address}: {one.reason}" for one in refused)
        raise ToolError(f"The mail server refused every recipient; nothing was sent. {told}")
    return refused


def _reply(code: int, reply: bytes) -> str:
    return f"{code} {reply.decode(errors='replace')}"[:300]


def _words(error: BaseException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return _reply(error.smtp_code, text if isinstance(text, bytes) else text.encode())
    return (str(error) or type(error).__name__)[:300]

"""A real SMTP server as a process of its own: every letter it takes is a line in its ledger.

python -m tests.support.mail_server --ledger FILE [--hold FILE]

While the `--hold` file exists, DATA is received and then kept unanswered: the letter is in the
ledger, and the client does not know. A letter may also ask for trouble: one whose subject begins
with "[drop]" is taken, and the connection broken without an answer; with "[late drop]", after the
answer. Mailboxes that begin with "refused." do not exist.
"""

from __future__ import annotations

import argparse
import asyncio
import email
import email.policy
import json
import os
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

POLL_S = 0.02


class Keeper:
    """Writes each letter down before it answers."""

    def __init__(self, ledger: Path, hold: Path | None) -> None:
        self.ledger = ledger
        self.hold = hold

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address.startswith("refused."):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {
            "key": str(letter["Message-ID"]),
            "to": envelope.rcpt_tos,
            "subject": str(letter["Subject"]),
            "body": str(letter.get_body(("plain",)).get_content()),
            "attachments": [part.get_filename() for part in letter.iter_attachments()],
        }
        with self.ledger.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        while self.hold and self.hold.exists():
            await asyncio.sleep(POLL_S)
        if line["subject"].startswith("[late drop]"):
            await server.push("250 kept")
        if "drop]" in line["subject"]:
            server.transport.abort()
        return "250 kept"


async def serve(keeper: Keeper) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(keeper, loop=loop), "127.0.0.1", 0)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--hold", type=Path)
    options = parser.parse_args()
    asyncio.run(serve(Keeper(options.ledger, options.hold)))


if __name__ == "__main__":
    main()

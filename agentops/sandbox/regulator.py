"""A sandbox authority that takes filings over HTTP, in its own process, with its own ledger.

    python -m agentops.sandbox.regulator --port 8002 --ledger filings.jsonl

POST /filings (with an Idempotency-Key) · GET /filings/ID · GET /ledger · GET /health. The same key
with the same body gets the same receipt and no second entry; with another body it is refused. With
--verdict accepted or rejected a filing is only received (202) at first; who has asked for it
--verdict-asks times learns the verdict. Faults for tests, the first --fault-times filings only:
--fault delay=SECONDS, --fault error-after-recording, --fault drop-after-recording,
--fault error-before-recording, --fault redirect.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from agentops.sandbox.ledger import KeyReused, Ledger, LedgerInUse

MAX_BYTES = 30_000_000
SILENCE_S = 30.0


class Refused(Exception):
    """The filing is not acceptable."""

    def __init__(self, status: HTTPStatus, reason: str, *, code: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.code = code


class Drop(Exception):
    """Break the connection without an answer."""


class Authority(ThreadingHTTPServer):
    """The server with its ledger and the fault it was told to play."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], ledger: Ledger, fault: Fault, decision: Decision
    ) -> None:
        super().__init__(address, Handler)
        self.ledger = ledger
        self.fault = fault
        self.decision = decision


class Decision:
    """When and how the authority decides; without a verdict to come it accepts at once."""

    def __init__(self, verdict: str, *, asks: int) -> None:
        self.verdict = verdict
        self._asks = asks
        self._asked: Counter[str] = Counter()

    def on(self, filing_id: str) -> dict[str, str]:
        """Count the question and return {status, reason}."""
        self._asked[filing_id] += 1
        if not self.verdict:
            return {"status": "accepted", "reason": ""}
        if self._asked[filing_id] < self._asks:
            return {"status": "received", "reason": ""}
        reason = "a section is missing" if self.verdict == "rejected" else ""
        return {"status": self.verdict, "reason": reason}


class Fault:
    """One kind of misbehaviour, played for the first `times` filings."""

    KINDS = (
        "none",
        "delay",
        "error-after-recording",
        "error-before-recording",
        "drop-after-recording",
        "redirect",
    )

    def __init__(self, text: str, *, times: int) -> None:
        self.kind, _, seconds = text.partition("=")
        if self.kind not in self.KINDS:
            raise ValueError(f"no fault {self.kind!r}; there are {', '.join(self.KINDS)}")
        self.seconds = float(seconds or 1)
        self._left = iter(range(times))

    def due(self) -> bool:
        """Say whether this filing is to meet the fault, and count it."""
        return self.kind != "none" and next(self._left, None) is not None


class Handler(BaseHTTPRequestHandler):
    """Four addresses."""

    server: Authority
    server_version = "SandboxAuthority"
    timeout = SILENCE_S

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(HTTPStatus.OK, {"status": "ok"})
        elif self.path == "/ledger":
            self._answer(HTTPStatus.OK, {"filings": self.server.ledger.entries()})
        elif self.path.startswith("/filings/"):
            self._answer(*self._verdict(self.path.removeprefix("/filings/")))
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there are /filings, /ledger, /health"})

    def do_POST(self) -> None:
        self.log_message("asked: %s", self.path)  # a broken connection would leave no line
        if self.path != "/filings":
            self._answer(HTTPStatus.NOT_FOUND, {"error": "filings go to /filings"})
            return
        try:
            self._answer(*self._file(self._body()))
        except Refused as error:
            code = {"code": error.code} if error.code else {}
            self._answer(error.status, {"error": str(error), **code})
        except Drop:
            self.close_connection = True

    def _file(self, body: bytes) -> tuple[HTTPStatus, dict[str, Any]]:
        key = self.headers.get("Idempotency-Key", "")
        if not 8 <= len(key) <= 255:
            raise Refused(HTTPStatus.BAD_REQUEST, "an Idempotency-Key of 8 to 255 characters")
        filing = _filing(body)
        meets_fault = self.server.fault.due()
        if meets_fault:
            _before(self.server.fault)
        try:
            digest = hashlib.sha256(body).hexdigest()
            entry = self.server.ledger.enter(key=key, body_sha256=digest, filing=filing)
        except KeyReused as error:
            raise Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY, str(error), code="idempotency_key_reused"
            ) from None
        if meets_fault:
            _after(self.server.fault)
        told = {name: entry[name] for name in ("filing_id", "receipt", "document_sha256")}
        if self.server.decision.verdict:
            return HTTPStatus.ACCEPTED, {**told, "received_at": entry["accepted_at"]}
        return HTTPStatus.CREATED, {**told, "accepted_at": entry["accepted_at"]}

    def _verdict(self, filing_id: str) -> tuple[HTTPStatus, dict[str, Any]]:
        known = {entry["filing_id"] for entry in self.server.ledger.entries()}
        if filing_id not in known:
            return HTTPStatus.NOT_FOUND, {"error": "there is no such filing"}
        return HTTPStatus.OK, {"filing_id": filing_id, **self.server.decision.on(filing_id)}

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BYTES:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MAX_BYTES} bytes")
        return self.rfile.read(int(length))

    def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        body = json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"
        self.send_response(status)
        if status is HTTPStatus.TEMPORARY_REDIRECT:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
        sys.stderr.write(f"sandbox authority: {json.dumps(format % args)}\n")


def _before(fault: Fault) -> None:
    if fault.kind == "error-before-recording":
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "a fault was asked for; nothing is recorded")
    if fault.kind == "redirect":
        raise Refused(HTTPStatus.TEMPORARY_REDIRECT, "a fault was asked for; go elsewhere")


def _after(fault: Fault) -> None:
    if fault.kind == "delay":
        time.sleep(fault.seconds)
    if fault.kind == "error-after-recording":
        raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault was asked for; it is recorded")
    if fault.kind == "drop-after-recording":
        raise Drop


def _filing(body: bytes) -> dict[str, Any]:
    """Return what the ledger keeps of a filing, its digest verified; Refused says what is wrong."""
    try:
        said = json.loads(body)
        document = said["document"]
        content = base64.b64decode(document["content_base64"], validate=True)
        kept = {
            "subject": str(said["subject"]),
            "sender": str(said["sender"]),
            "regulation": str(said["regulation"]),
            "document_id": str(document["id"]),
            "document_sha256": str(document["sha256"]),
            "document_bytes": len(content),
        }
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        reason = f"the filing cannot be read: {type(error).__name__} {error}"
        raise Refused(HTTPStatus.BAD_REQUEST, reason[:300]) from None
    if hashlib.sha256(content).hexdigest() != kept["document_sha256"]:
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY, "the document's bytes do not have the digest given"
        )
    return kept


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status."""
    options = _options(arguments)
    try:
        decision = Decision(options.verdict, asks=options.verdict_asks)
        address = ("127.0.0.1", options.port)
        server = Authority(address, Ledger(options.ledger), options.fault, decision)
    except (OSError, LedgerInUse) as error:
        sys.stderr.write(f"sandbox authority: {error}\n")
        return 1
    signal.signal(signal.SIGTERM, _interrupt)
    sys.stdout.write(f"sandbox authority listening on http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="agentops.sandbox.regulator")
    parser.add_argument("--port", type=int, default=8002, help="0 takes any free one")
    parser.add_argument("--ledger", type=Path, required=True, help="a .jsonl file, made if missing")
    parser.add_argument("--fault", default="none", help=", ".join(Fault.KINDS))
    parser.add_argument("--fault-times", type=int, default=1)
    parser.add_argument("--verdict", default="", choices=("", "accepted", "rejected"))
    parser.add_argument("--verdict-asks", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        options.fault = Fault(options.fault, times=options.fault_times)
    except ValueError as error:
        parser.error(str(error))
    return options


if __name__ == "__main__":
    raise SystemExit(main())

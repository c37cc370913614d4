"""The sandbox authority, as a process spoken to over HTTP."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.sandbox_authority import SandboxAuthority, sandbox_authority

CONTENT = b"%PDF-1.4 a report"


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[SandboxAuthority]:
    with sandbox_authority(tmp_path) as running:
        yield running


def _filing(**changes: Any) -> bytes:
    document = {
        "id": "DOC-0123456789ab",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "content_base64": base64.b64encode(CONTENT).decode(),
    }
    return json.dumps(
        {"subject": "s", "sender": "we", "regulation": "AML-6", "document": document | changes}
    ).encode()


def _say(
    authority: SandboxAuthority,
    body: bytes = b"",
    *,
    key: str | None = "key-0001",
    method: str = "POST",
    path: str = "/filings",
) -> tuple[int, dict[str, Any]]:
    parts = urlsplit(authority.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
    headers = {"Idempotency-Key": key} if key is not None else {}
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_filing_gets_a_receipt_and_stands_in_the_ledger(authority: SandboxAuthority) -> None:
    status, receipt = _say(authority, _filing())
    assert status == 201
    (entry,) = authority.filings()
    assert {name: entry[name] for name in receipt} == receipt
    assert entry["document_bytes"] == len(CONTENT)
    assert json.loads(authority.ledger_file.read_text()) == entry


def test_the_same_key_and_body_get_the_same_receipt(authority: SandboxAuthority) -> None:
    assert _say(authority, _filing()) == _say(authority, _filing())
    assert len(authority.filings()) == 1


def test_the_same_key_with_another_body_is_refused(authority: SandboxAuthority) -> None:
    _say(authority, _filing())
    status, said = _say(authority, _filing(id="DOC-ba9876543210"))
    assert (status, said["error"][:32]) == (422, "this key already stands for fili")
    assert len(authority.filings()) == 1


@pytest.mark.parametrize("key", [None, "", "short", "k" * 256])
def test_a_filing_without_a_proper_key_is_refused(
    authority: SandboxAuthority, key: str | None
) -> None:
    assert _say(authority, _filing(), key=key)[0] == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b"[" * 50_000, 400),
        (_filing(content_base64="%%%"), 400),
        (_filing(content_base64=None), 400),
        (_filing(sha256="0" * 64), 422),
        (_filing(content_base64=base64.b64encode(b"another").decode()), 422),
    ],
)
def test_what_cannot_be_read_or_does_not_fit_its_digest_is_refused(
    authority: SandboxAuthority, body: bytes, status: int
) -> None:
    assert _say(authority, body)[0] == status
    assert authority.filings() == []


def test_it_says_that_it_is_well_and_what_it_offers(authority: SandboxAuthority) -> None:
    assert _say(authority, method="GET", path="/health") == (200, {"status": "ok"})
    assert _say(authority, method="GET", path="/elsewhere")[0] == 404
    assert _say(authority, b"{}", path="/elsewhere")[0] == 404


def test_it_ends_cleanly_when_asked_to(authority: SandboxAuthority) -> None:
    authority.process.stop()
    assert authority.process.returncode() == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [(("--fault", "nonsense"), "no fault 'nonsense'"), (("--port", "x"), "invalid int")],
)
def test_options_that_make_no_sense_are_refused(
    tmp_path: Path, options: tuple[str, ...], why: str
) -> None:
    command = [sys.executable, "-m", "agentops.sandbox.regulator", "--ledger", str(tmp_path / "l")]
    ended = subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 2
    assert why in ended.stderr


def test_a_second_authority_on_the_same_ledger_does_not_start(authority: SandboxAuthority) -> None:
    command = [sys.executable, "-m", "agentops.sandbox.regulator", "--port", "0"]
    ended = subprocess.run(
        [*command, "--ledger", str(authority.ledger_file)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 1
    assert "is written by another process" in ended.stderr

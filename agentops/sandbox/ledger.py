"""The sandbox authority's ledger: a JSON line per filing, appended and synced, never changed."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class LedgerInUse(Exception):
    """Another process writes this ledger."""


class KeyReused(Exception):
    """The idempotency key already stands for another filing."""


class Ledger:
    """Filings by idempotency key. `enter` answers a repeated key with its first entry."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise LedgerInUse(f"{path} is written by another process") from None
        self._lock = threading.Lock()
        self._entries = self._read()

    def close(self) -> None:
        """Let the file go, for another process to write."""
        self._file.close()

    def entries(self) -> list[dict[str, Any]]:
        """Return every filing, the oldest first."""
        with self._lock:
            return list(self._entries.values())

    def enter(self, *, key: str, body_sha256: str, filing: dict[str, Any]) -> dict[str, Any]:
        """Return the entry for `key`, written now or before; KeyReused if it held another body."""
        with self._lock:
            known = self._entries.get(key)
            if known is None:
                known = self._write(key, body_sha256, filing)
            elif known["body_sha256"] != body_sha256:
                raise KeyReused(f"this key already stands for filing {known['filing_id']}")
            return known

    def _write(self, key: str, body_sha256: str, filing: dict[str, Any]) -> dict[str, Any]:
        number = len(self._entries) + 1
        now = datetime.now(UTC)
        entry = {
            "filing_id": f"FIL-{now:%Y}-{number:06d}",
            "receipt": f"RCP-{body_sha256[:16].upper()}",
            "accepted_at": now.isoformat(timespec="seconds"),
            "idempotency_key": key,
            "body_sha256": body_sha256,
            **filing,
        }
        self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._entries[key] = entry
        return entry

    def _read(self) -> dict[str, dict[str, Any]]:
        """Return what the file holds; a last line torn by a kill was never answered: cut it off."""
        self._file.seek(0)
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            self._file.truncate(len(whole))
        entries = [json.loads(line) for line in whole.splitlines()]
        return {entry["idempotency_key"]: entry for entry in entries}

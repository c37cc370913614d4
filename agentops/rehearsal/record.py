"""The log of everything the server was sent, as JSON lines."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType

MAX_BYTES = 1024 * 1024 * 1024


class Record:
    """Appends one line per request: {"n", "at" (Unix time), "api", "fault" (or null), "body"}.

    A body that is not JSON is logged as text. Ends quietly at `MAX_BYTES`, with a line saying so.
    """

    def __init__(self, path: Path | None) -> None:
        # Unbuffered: each line is whole in the file before its request is answered.
        self._file = path.open("ab", buffering=0) if path else None
        self._size = self._file.tell() if self._file else 0
        self._count = 0

    def write(self, *, api: str, body: bytes, is_json: bool, fault: str | None) -> None:
        self._count += 1
        if self._file is None or self._size >= MAX_BYTES:
            return
        head = json.dumps({"n": self._count, "at": time.time(), "api": api, "fault": fault})
        # The bytes go in as they came; a line break in JSON is only ever white space.
        text = body.replace(b"\n", b" ").replace(b"\r", b" ") if is_json else _quoted(body)
        line = head[:-1].encode() + b', "body": ' + text + b"}\n"
        self._size += len(line)
        if self._size >= MAX_BYTES:
            line += b'{"note": "the log is full"}\n'
        self._file.write(line)

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()


def _quoted(body: bytes) -> bytes:
    return json.dumps(body[:100_000].decode("utf-8", "replace")).encode()

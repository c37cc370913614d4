"""The pages of a PDF as pictures, for people who decide on it.

They are drawn by a process of its own (tools/pdf_worker.py) that has little memory and little time:
what hangs, crashes or explodes there is a sentence here. What was drawn is kept in memory by the
digest of the PDF's bytes.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MOST_PAGES = 20
MOST_BYTES = 20_000_000
WIDTH = 1240  # pixels; an A4 page at 150 dots an inch
TIME_S = 10
KEPT_BYTES = 40_000_000

WORKER = Path(__file__).with_name("pdf_worker.py")


class NotDrawable(Exception):
    """There are no pictures of this PDF; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A PDF that goes with a call. `read` returns its bytes, whose digest is `sha256`.
    `document_id` is None for one that is not stored, because the call would make it."""

    title: str
    sha256: str
    pages: int
    size: int
    read: Callable[[], bytes]
    document_id: str | None = None

    @property
    def drawn_pages(self) -> range:
        """Return the numbers of the pages of which there are pictures."""
        return range(1, min(self.pages, MOST_PAGES) + 1)


class _Kept:
    """Pictures by digest; the ones not asked for the longest go first."""

    def __init__(self) -> None:
        self._by_digest: OrderedDict[str, list[bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str) -> list[bytes] | None:
        with self._lock:
            if digest in self._by_digest:
                self._by_digest.move_to_end(digest)
            return self._by_digest.get(digest)

    def put(self, digest: str, pictures: list[bytes]) -> None:
        with self._lock:
            self._by_digest[digest] = pictures
            while len(self._by_digest) > 1 and self._size() > KEPT_BYTES:
                self._by_digest.popitem(last=False)

    def _size(self) -> int:
        return sum(len(one) for pictures in self._by_digest.values() for one in pictures)


_kept = _Kept()
_one_at_a_time = threading.Lock()


def picture(content: bytes, number: int) -> bytes:
    """Return page `number` (from 1) of a PDF as a PNG. Raises NotDrawable in words.

    Takes up to TIME_S; never call it inside a transaction.
    """
    digest = hashlib.sha256(content).hexdigest()
    pictures = _kept.get(digest) or _drawn(digest, content)
    if not 1 <= number <= len(pictures):
        raise NotDrawable(f"There is no picture of page {number}.")
    return pictures[number - 1]


def _drawn(digest: str, content: bytes) -> list[bytes]:
    if len(content) > MOST_BYTES:
        raise NotDrawable("The document is too large to be drawn.")
    if not _one_at_a_time.acquire(timeout=TIME_S):
        raise NotDrawable("Other documents are being drawn. Load the page again in a moment.")
    try:
        pictures = _kept.get(digest)  # somebody else's request may have drawn it meanwhile
        if pictures is None:
            pictures = _cut(_by_worker(content))
            _kept.put(digest, pictures)
    finally:
        _one_at_a_time.release()
    return pictures


def _by_worker(content: bytes) -> bytes:
    limits = map(str, (MOST_PAGES, WIDTH, TIME_S))
    command = [sys.executable, "-I", str(WORKER), *limits]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=TIME_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotDrawable(f"The document could not be drawn within {TIME_S} seconds.") from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise NotDrawable(f"The document cannot be drawn ({(last or ['it broke off'])[0][:200]}).")
    return done.stdout


def _cut(output: bytes) -> list[bytes]:
    """Return the pictures of the worker's output."""
    pictures, at = [], 0
    while at < len(output):
        end = at + 4 + int.from_bytes(output[at : at + 4], "big")
        pictures.append(output[at + 4 : end])
        at = end
    return pictures

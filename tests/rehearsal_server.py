"""The rehearsal server as a process of its own, for tests.

with start() as server:                 # a free port, no latency
    server.base_url                     # for OPENAI_BASE_URL
    server.add_faults([{"fault": "429", "match": {"contains": "C-1001"}, "retry_after": 1}])
    ...
    assert server.fired() == [1]        # a test asserts that its fault fired
    server.log()[-1]["body"]            # what the server was sent
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
START_S = 20.0
STOP_S = 5.0


@dataclass(frozen=True)
class RehearsalServer:
    """A running server. `base_url` ends in /v1; `process` may be killed by a test."""

    base_url: str
    process: subprocess.Popen[str]
    log_file: Path

    def add_faults(self, faults: list[dict[str, Any]]) -> None:
        """Lay in faults (fields: see agentops/rehearsal/faults.py); an AssertionError says why a
        fault is refused."""
        self._control("POST", faults)

    def clear_faults(self) -> None:
        self._control("DELETE")

    def forget(self) -> None:
        """Be as at the start: no faults, and an empty log."""
        self.clear_faults()
        os.truncate(self.log_file, 0)

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults laid in, each with `seen` and `fired`."""
        found: list[dict[str, Any]] = self._control("GET")
        return found

    def fired(self) -> list[int]:
        """Return how often each fault fired, in the order laid in."""
        return [fault["fired"] for fault in self.faults()]

    def log(self, containing: str = "") -> list[dict[str, Any]]:
        """Return every request so far as {n, at, api, fault, body}, those that hold a text."""
        # Not splitlines(): a body may hold the other characters that it takes for line ends.
        lines = self.log_file.read_bytes().decode("utf-8", "replace").split("\n")
        return [json.loads(line) for line in lines if line and containing in line]

    def _control(self, method: str, body: Any = None) -> Any:
        address = self.base_url.removesuffix("/v1") + "/faults"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None


@contextmanager
def start(
    *,
    port: int = 0,
    latency: float = 0.0,
    key: str | None = None,
    script: dict[str, Any] | None = None,
) -> Iterator[RehearsalServer]:
    """Start a server and stop it at the end. `key`: the only API key accepted; `script`:
    {"replies": [...], "faults": [...]} laid down from the start."""
    with tempfile.TemporaryDirectory() as folder:
        log_file = Path(folder, "requests.jsonl")
        command = [sys.executable, "-m", "agentops.rehearsal", "--port", str(port)]
        command += ["--latency", str(latency), "--log", str(log_file)]
        command += ["--key", key] if key else []
        if script is not None:
            Path(folder, "script.json").write_text(json.dumps(script))
            command += ["--script", str(Path(folder, "script.json"))]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            base_url = _announced(process)
            _await_health(base_url)
            yield RehearsalServer(base_url, process, log_file)
        finally:
            _stop(process)


def _announced(process: subprocess.Popen[str]) -> str:
    """Return the address that the server prints once it listens."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_S)
    line = process.stdout.readline() if ready else ""
    assert "http://" in line, f"the rehearsal server did not start: {line!r} {process.poll()}"
    return line[line.index("http://") :].strip()


def _await_health(base_url: str) -> None:
    address = base_url.removesuffix("/v1") + "/health"
    deadline = time.monotonic() + START_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < deadline, "the rehearsal server is not healthy"


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_S)
    if process.stdout is not None:
        process.stdout.close()

"""The outside world: mail server, authority, LLM server. It is never hurt, and keeps ledgers."""

from __future__ import annotations

import json
import random
import re
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from bench.processes import until
from executions.invariants import Ledger
from tests.soak.family import Family, Service
from tests.soak.robots import Robot

START_S = 30.0
FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "429", "retry_after": 1},
    {"fault": "429"},
    {"fault": "500"},
    {"fault": "503"},
    {"fault": "529"},
    {"fault": "reset"},
    {"fault": "cut"},
    {"fault": "html", "status": 502},
    {"fault": "empty"},
    {"fault": "not_json"},
    {"fault": "failed_response"},
    {"fault": "bad_json_arguments"},
    {"fault": "no_choices"},
    {"fault": "missing_usage"},
    {"fault": "nul"},
    {"fault": "delay", "delay_s": 2.5},
    {"fault": "delay", "delay_s": 6},
    {"fault": "timeout", "delay_s": 12},
)


class Outside:
    """Starts the three and reads what they wrote down."""

    def __init__(self, family: Family, folder: Path, *, llm_port: int, authority_port: int) -> None:
        self.letters, self.filings = folder / "letters.jsonl", folder / "filings.jsonl"
        self.llm_url = f"http://127.0.0.1:{llm_port}"
        mail = ("-m", "tests.support.mail_server", "--ledger", str(self.letters))
        log = family.start(Service("mail", mail))
        found = until(
            lambda: re.search(r"listening on (\d+)", log.read_text()),
            within_s=START_S,
            what="the mail server",
        )
        self.mail_port = int(found[1])
        files = ("--port", str(authority_port), "--ledger", str(self.filings))
        family.start(Service("authority", ("-m", "agentops.sandbox.regulator", *files)))
        llm = ("-m", "agentops.rehearsal", "--port", str(llm_port), "--latency", "0.3")
        family.start(Service("llm", llm))
        for port in (authority_port, llm_port):
            until(lambda p=port: _healthy(p), within_s=START_S, what=f"whoever listens on {port}")

    def ledgers(self) -> list[Ledger]:
        """Return each ledger with the idempotency keys it holds, in order."""
        letters = [str(line["key"]).strip(" <>").partition("@")[0] for line in _lines(self.letters)]
        filings = [str(line["idempotency_key"]) for line in _lines(self.filings)]
        return [
            Ledger(tool="send_email", keys=tuple(letters)),
            Ledger(tool="submit_to_regulator", keys=tuple(filings)),
        ]

    def saw(self, key: str) -> bool:
        """Test if either ledger holds this idempotency key."""
        return any(
            key in file.read_text() for file in (self.letters, self.filings) if file.exists()
        )


class Weather(Robot):
    """Lays faults into the LLM server all the time; `counts` are those that fired."""

    def __init__(self, llm_url: str, *, seed: int, every_s: float = 3.0) -> None:
        super().__init__("weather", pause_s=lambda: every_s)
        self.rng = random.Random(f"{seed}:weather")
        self._address = f"{llm_url}/faults"

    def act(self) -> None:
        self.clear()
        chosen = [dict(one) for one in self.rng.sample(FAULTS, 4)]
        for one in chosen:
            one["match"] = {"nth": self.rng.randint(1, 12)}
        self._control("POST", chosen)

    def clear(self) -> None:
        """Count what fired, and take all faults away."""
        for fault in self._control("GET"):
            self.counts[fault["fault"]] += fault["fired"]
        self._control("DELETE")

    def fired(self) -> Counter[str]:
        return Counter({name: count for name, count in self.counts.items() if count})

    def _control(self, method: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        return _ask(urllib.request.Request(self._address, data=data, method=method))


def _healthy(port: int) -> bool:
    try:
        return bool(_ask(urllib.request.Request(f"http://127.0.0.1:{port}/health")))
    except OSError:
        return False


def _ask(request: urllib.request.Request) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return json.load(answer)


def _lines(file: Path) -> list[dict[str, Any]]:
    text = file.read_text() if file.exists() else ""
    return [json.loads(line) for line in text.splitlines()]

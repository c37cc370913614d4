"""The world around the executions: real outside parties with ledgers, and people in a database.

LLM, mail server and authority are processes that live as long as the test session. What is in the
database is laid down anew for each `Stage`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from executions.engine import connections, runner
from executions.llm import retry
from executions.registry_sync import sync_registry
from tests import factories, rehearsal_server
from tests.faults.acts import PEOPLE
from tests.rehearsal_server import RehearsalServer
from tests.sandbox_authority import SandboxAuthority, sandbox_authority
from tests.support.processes import ChildProcess
from tests.support.waiting import wait_until
from tests.tools import calling
from tests.tools.reports import report_arguments
from tools.mail import MESSAGE_ID_DOMAIN

AGAIN_S = 0.01  # waits before another try, which are seconds otherwise
TICK_S = 20.0  # within a life nothing happens only because time has passed


class Tail:
    """What is appended to a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new(self) -> list[dict[str, Any]]:
        """Return the lines since the last call."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [json.loads(line) for line in whole.split(b"\n") if line]


@dataclass
class Outside:
    """The outside parties, and what each wrote down since somebody last looked."""

    llm: RehearsalServer
    authority: SandboxAuthority
    mail_port: int
    letters: Tail
    hold_mail: Path  # while this file exists, a letter that has arrived is not acknowledged
    filings: Tail = field(init=False)
    requests: Tail = field(init=False)

    def __post_init__(self) -> None:
        self.filings = Tail(self.authority.ledger_file)
        self.requests = Tail(self.llm.log_file)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a process that works with these parties."""
        return {
            "OPENAI_API_KEY": "rehearsal",
            "OPENAI_BASE_URL": self.llm.base_url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_port}",
            "AGENTOPS_SANDBOX_REGULATOR_URL": f"{self.authority.url}/filings",
        }


def key_of(letter: dict[str, Any]) -> str:
    """Return the idempotency key that a letter in the mail server's ledger carries."""
    return letter["key"].strip("\n <>").removesuffix(f"@{MESSAGE_ID_DOMAIN}")


@contextmanager
def outside(folder: Path, environment: dict[str, str]) -> Iterator[Outside]:
    """Start the parties; they are gone at the end."""
    letters, hold = folder / "letters.jsonl", folder / "hold"
    mail = ChildProcess(
        *("-m", "tests.support.mail_server", "--ledger", str(letters), "--hold", str(hold)),
        env={**environment, "PYTHONUNBUFFERED": "1"},
        log=folder / "mail.log",
    )
    try:
        port = wait_until(
            lambda: re.search(r"listening on (\d+)", mail.log()), what="the mail server"
        )
        with rehearsal_server.start() as llm, sandbox_authority(folder) as authority:
            yield Outside(llm, authority, int(port[1]), Tail(letters), hold)
    finally:
        mail.stop()


@contextmanager
def quickly(around: Outside) -> Iterator[None]:
    """Let this process work with the parties, and wait only briefly before another try."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _settings(around).items():
            patch.setattr(f"django.conf.settings.{name}", value)
        be_quick(patch)
        yield


def be_quick(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(connections, "AGAIN_S", AGAIN_S)
    patch.setattr(retry, "FIRST_WAIT_S", AGAIN_S)
    patch.setattr(runner, "TICK_S", TICK_S)


def _settings(around: Outside) -> dict[str, Any]:
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": around.mail_port,
        "AGENTOPS_SANDBOX_REGULATOR_URL": around.variables["AGENTOPS_SANDBOX_REGULATOR_URL"],
    }


@dataclass(frozen=True)
class Report:
    """The compliance report that filings of this stage are about."""

    document_id: str
    sha256: str


def lay_down() -> Report:
    """Fill an empty database with sample data, people and one report; return the report."""
    sync_registry()
    call_command("load_sample_data", verbosity=0)
    factories.person("olga", may=["launch_execution", "cancel_execution"])
    for name in PEOPLE:
        factories.reviewer(name)
    return report_on_file()


def report_on_file() -> Report:
    """Make a report that can be filed, or return the one made before."""
    made = calling.run("generate_compliance_document", report_arguments(title="For filings"))
    return Report(made["document_id"], made["sha256"])

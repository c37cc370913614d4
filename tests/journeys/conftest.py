"""The whole world, for real: clusters, LLM server, mail server and authority are processes.

Each outside party keeps a ledger of its own, and the ledgers judge what happened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.management import call_command, get_commands
from django.db import connection

from agentops.accounts.models import User
from executions import operations
from executions.agents import get_agent
from executions.models import AgentExecution, AgentReview, AgentRunner
from executions.registry_sync import sync_registry
from tests.rehearsal_server import RehearsalServer
from tests.sandbox_authority import SandboxAuthority, sandbox_authority
from tests.support.clusters import Start, agents_cluster
from tests.support.processes import ChildProcess
from tests.support.waiting import wait_until


@dataclass
class World:
    """What one journey has around it."""

    llm: RehearsalServer
    authority: SandboxAuthority
    letters_file: Path
    hold_mail: Path
    start: Start
    variables: dict[str, str]

    def cluster(self, **variables: str) -> ChildProcess:
        """Start an agents cluster and wait until a runner stands in it."""
        return agents_cluster(self.start, **{**self.variables, **variables})

    def letters(self) -> list[dict[str, Any]]:
        if not self.letters_file.exists():
            return []
        return [json.loads(line) for line in self.letters_file.read_text().splitlines()]


@pytest.fixture
def world(start_process: Start, tmp_path: Path, rehearsal: RehearsalServer) -> Iterator[World]:
    letters, hold = tmp_path / "letters.jsonl", tmp_path / "hold"
    mail = start_process(
        "-m", "tests.support.mail_server", "--ledger", str(letters), "--hold", str(hold)
    )
    port = wait_until(lambda: re.search(r"listening on (\d+)", mail.log()), what="the mail server")
    with sandbox_authority(tmp_path) as authority:
        variables = {
            "OPENAI_API_KEY": "rehearsal",
            "OPENAI_BASE_URL": rehearsal.base_url,
            "EMAIL_URL": f"smtp://127.0.0.1:{port[1]}",
            "AGENTOPS_SANDBOX_REGULATOR_URL": f"{authority.url}/filings",
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "django.conf.settings.AGENTOPS_SANDBOX_REGULATOR_URL", f"{authority.url}/filings"
            )
            sync_registry()
            call_command("load_sample_data", verbosity=0)
        yield World(rehearsal, authority, letters, hold, start_process, variables)


def launch(agent: str, **input_data: Any) -> AgentExecution:
    """Launch an agent as the service user, on its sample input unless told otherwise."""
    return operations.launch(
        agent_type=agent,
        input_data=input_data or get_agent(agent).sample_input,
        user=User.objects.get(username="system"),
    ).execution


def until(execution: AgentExecution, *statuses: str, within_s: float = 30) -> AgentExecution:
    """Wait until the execution has one of these statuses."""

    def reached() -> bool:
        execution.refresh_from_db()
        return execution.status in statuses

    wait_until(reached, within_s=within_s, what=f"{statuses}, it is {execution.status}")
    return execution


def approve_open(execution: AgentExecution, people: list[User]) -> None:
    """Approve every open review of the execution with as many people as it needs."""
    for review in AgentReview.objects.open().filter(execution=execution, kind="approval"):
        for person in people[: review.required_votes]:
            operations.decide(
                review_id=review.pk, person=person, approve=True, seen_digest=review.input_digest
            )


def drive_to_end(execution: AgentExecution, people: list[User], *, within_s: float = 60) -> None:
    """Approve whatever comes until the execution is final."""

    def ended() -> bool:
        execution.refresh_from_db()
        approve_open(execution, people)
        return execution.is_final

    wait_until(ended, within_s=within_s, what=f"the end; it is {execution.status}")


def worker_of(execution: AgentExecution) -> psutil.Process:
    """Return the worker process whose runner holds the execution's lease."""
    execution.refresh_from_db()
    runner = AgentRunner.objects.get(pk=execution.lease_owner)
    return psutil.Process(runner.pid)


def call_status(execution: AgentExecution, tool: str) -> str | None:
    """Return the status of the execution's latest call of `tool`."""
    calls = execution.tool_calls.filter(tool_name=tool).order_by("-step_number", "-call_index")
    return calls.values_list("status", flat=True).first()


def check_invariants(tmp_path: Path, world: World) -> None:
    """Run the invariant checker; it exits with an error when one is violated."""
    keys = [filing["idempotency_key"] for filing in world.authority.filings()]
    assert len(keys) == len(set(keys))
    messages = [letter["key"] for letter in world.letters()]
    assert len(messages) == len(set(messages))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM agentops_audit_broken()")
        assert cursor.fetchall() == []
    if "check_invariants" in get_commands():  # pragma: no cover
        call_command("check_invariants", verbosity=0)

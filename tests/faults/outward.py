"""Tools that act outside without a gate, for faults of the outside; who judges is its ledgers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from executions.invariants import Ledger
from executions.models import AgentExecution
from tests.faults.world import Outside, Report
from tests.sandbox_authority import SandboxAuthority
from tests.support.standing_runner import run_until_idle
from tools.base import Effect, Tool, ToolContext, never, tool
from tools.models import Customer, Regulator
from tools.registry import TOOLS

ANA, OMAR = "ana.duarte@marlowe-shipping.example", "omar@hallberg.example"
LENA = "refused.lena@hallberg.example"


def at_once(name: str, alias: str) -> Tool:
    """The site's own tool, under another name and without its gate."""
    return replace(TOOLS[name], name=alias, approval=never())


class Broke(Exception):
    """After the effect."""


@tool(effect=Effect.TRANSACTIONAL, approval=never())
def change_and_break(*, customer_id: str) -> None:
    """Change a record, then break."""
    Customer.objects.filter(pk=customer_id).update(phone="+31 10 555 0199")
    raise Broke("after the change")


@tool(effect=Effect.ONCE, approval=never())
def send_and_break(*, subject: str, context: ToolContext) -> None:
    """Send a letter, then break."""
    sent = {"to": [ANA], "subject": subject, "body": "x", "attach_document_ids": []}
    TOOLS["send_email"].function(**sent, context=context)
    raise Broke("after the letter")


@tool(effect=Effect.READ)
def read_and_break(*, word: str) -> None:
    """Read, then break."""
    raise Broke("after the look")


TOOLS_OF_THE_TEST = (
    change_and_break,
    send_and_break,
    read_and_break,
    at_once("send_email", "send_now"),
    at_once("submit_to_regulator", "submit_now"),
)


def drive(outside: Outside, *executions: AgentExecution) -> None:
    run_until_idle(base_url=outside.llm.base_url)
    for one in executions:
        one.refresh_from_db()


def filing(report: Report) -> dict[str, Any]:
    return {
        "regulator_id": "REG-NFSA",
        "document_id": report.document_id,
        "document_sha256": report.sha256,
        "subject": "Due diligence",
    }


def files_with(authority: SandboxAuthority) -> None:
    Regulator.objects.update(endpoint=f"{authority.url}/filings")


def asked(authority: SandboxAuthority) -> int:
    """How often anybody filed, by the authority's own log."""
    return authority.process.log().count("asked: /filings")


def keys(authority: SandboxAuthority) -> Ledger:
    seen = tuple(entry["idempotency_key"] for entry in authority.filings())
    return Ledger(tool="submit_now", keys=seen)

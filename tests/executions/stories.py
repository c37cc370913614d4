"""Executions with all their rows, written as the journal and people write them: nothing is wrong.

`everything(…)` is one execution of each kind; a test then plants what must not be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import operations
from executions.agents import get_agent
from executions.invariants import Verified, verify
from executions.models import (
    AgentExecution,
    AgentReview,
    AgentRunner,
    AgentStep,
    AgentToolCall,
)
from tests import factories
from tests.factories import LETTER, change

FILING = {
    "regulator_id": "REG-NFSA",
    "document_id": "DOC-0123456789ab",
    "document_sha256": "0" * 64,
    "subject": "A report",
}
TOKENS, COST = 1000, "0.001500"


@dataclass
class Everything:
    """One execution of each kind, and who is around."""

    runner: AgentRunner
    olga: User
    rita: User
    omar: User
    completed: AgentExecution
    awaiting: AgentExecution
    doubtful: AgentExecution
    running: AgentExecution
    pending: AgentExecution
    cancelled: AgentExecution

    def call(self, tool: str, of: str = "completed") -> AgentToolCall:
        """Return the first call of that tool in one of the executions."""
        execution: AgentExecution = getattr(self, of)
        found = execution.tool_calls.filter(tool_name=tool).order_by("step_number", "call_index")
        return found[0]


def everything() -> Everything:
    """Olga launches; Rita and Omar decide; one runner drives."""
    olga = factories.person("olga", may=["launch_execution", "cancel_execution"])
    rita, omar = factories.reviewer("rita"), factories.reviewer("omar")
    runner = standing_runner()
    return Everything(
        runner=runner,
        olga=olga,
        rita=rita,
        omar=omar,
        completed=completed(runner, olga, rita, omar),
        awaiting=awaiting(runner, olga),
        doubtful=doubtful(runner, olga, rita),
        running=running(runner, olga),
        pending=launched(olga),
        cancelled=cancelled(runner, olga),
    )


def standing_runner() -> AgentRunner:
    """A runner that has stood for an hour and has room."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agent_runners (host, pid, capacity, in_flight, started_at, lease_until)"
            " VALUES ('here', 1, 10, 1, now() - interval '1 hour', now() + interval '15 s')"
            " RETURNING id"
        )
        (id,) = cursor.fetchone()
    return AgentRunner.objects.get(pk=id)


def completed(runner: AgentRunner, olga: User, rita: User, omar: User) -> AgentExecution:
    """Two reads; a filing that two approved; a letter that was rejected; the answer."""
    one = launched(olga)
    claim(one, runner)
    step(one, "read_customer_record", "lookup_regulation")
    for index, name in enumerate(("read_customer_record", "lookup_regulation")):
        read(one, name, index)
    step(one, "submit_to_regulator")
    filing = ask(one, "submit_to_regulator", FILING, votes=2, effect="idempotent")
    let_go(one)
    decide(filing, rita, omar)
    claim(one, runner)
    succeed(factories.start(factories.fresh(filing.call)), {"receipt": "RCP-1"})
    step(one, "send_email")
    letter = ask(one, "send_email", LETTER)
    let_go(one)
    decide(letter, rita, approve=False)
    claim(one, runner)
    step(one)
    end(one, "completed", result={"summary": "done"})
    return one


def awaiting(runner: AgentRunner, olga: User) -> AgentExecution:
    """Waits for somebody to look at a letter."""
    one = launched(olga)
    claim(one, runner)
    step(one, "send_email")
    ask(one, "send_email", LETTER)
    let_go(one)
    return one


def doubtful(runner: AgentRunner, olga: User, rita: User) -> AgentExecution:
    """Waits for somebody to say whether a letter went out."""
    one = awaiting(runner, olga)
    decide(one.reviews.get(), rita)
    claim(one, runner)
    factories.doubt(factories.start(one.tool_calls.get()))
    one.refresh_from_db()
    let_go(one)
    return one


def running(runner: AgentRunner, olga: User) -> AgentExecution:
    """Is driven; its read has started."""
    one = launched(olga)
    claim(one, runner)
    step(one, "read_customer_record")
    read(one, "read_customer_record", 0, output=None)
    return one


def cancelled(runner: AgentRunner, olga: User) -> AgentExecution:
    """Olga changed her mind while it waited."""
    one = awaiting(runner, olga)
    return operations.cancel(execution_id=one.pk, person=olga, reason="changed my mind")


# ---------------------------------------------------------------------- one durable write each


def launched(olga: User) -> AgentExecution:
    agent = get_agent("compliance_document_generator")
    made = operations.launch(agent_type=agent.name, input_data=agent.sample_input, user=olga)
    return made.execution


def claim(one: AgentExecution, runner: AgentRunner) -> None:
    token, attempts = F("lease_token") + 1, F("attempts") + 1
    change(one, status="running", lease_owner=runner.pk, lease_token=token, attempts=attempts)


def step(one: AgentExecution, *tools: str) -> None:
    number = one.step_count + 1
    asked = [
        {"id": f"call_{number}_{index}", "name": name, "arguments": "{}"}
        for index, name in enumerate(tools)
    ]
    AgentStep.objects.create(
        pk=(one.pk, number),
        llm="gpt-5-mini",
        request_digest="0" * 64,
        response={"text": None, "calls": asked, "reasoning": [], "refusal": None},
        finish_reason="tool_calls" if asked else "stop",
        total_tokens=TOKENS,
        cost_usd=COST,
        latency_ms=500,
    )
    change(
        one,
        step_count=F("step_count") + 1,
        token_count=F("token_count") + TOKENS,
        cost_usd=F("cost_usd") + COST,
        active_ms=F("active_ms") + 500,
        attempts=0,
    )


def read(one: AgentExecution, tool: str, index: int, output: Any = "found") -> None:
    made = factories.call(
        one,
        tool_name=tool,
        tool_input={"customer_id": "C-1001"},
        effect="read",
        status="running",
        started_at=Now(),
        **place(one, index),
    )
    if output is not None:
        succeed(made, output)


def ask(
    one: AgentExecution, tool: str, arguments: Any, *, votes: int = 1, effect: str = "once"
) -> AgentReview:
    """A gated call and its open review."""
    return factories.gated(
        one, votes=votes, tool_name=tool, tool_input=arguments, effect=effect, **place(one, 0)
    )


def place(one: AgentExecution, index: int) -> dict[str, Any]:
    """Where a call of the current step stands, and the id it was asked for under."""
    return {"call_index": index, "provider_call_id": f"call_{one.step_count}_{index}"}


def let_go(one: AgentExecution) -> None:
    change(one, status="awaiting_review", lease_owner=None, attempts=0)


def decide(review: AgentReview, *people: User, approve: bool = True) -> None:
    for person in people:
        operations.decide(
            review_id=review.pk,
            person=person,
            approve=approve,
            seen_digest=review.input_digest,
            reason="" if approve else "not yet",
        )


def succeed(call: AgentToolCall, output: Any) -> None:
    change(call, status="succeeded", tool_output=output, latency_ms=5, finished_at=Now())


def end(one: AgentExecution, status: str, **columns: Any) -> None:
    change(one, status=status, lease_owner=None, completed_at=Now(), **columns)


# ---------------------------------------------------------------------- planting and looking


def plant(statement: str, values: dict[str, Any], *, without: str = "") -> None:
    """Run SQL that every guard would refuse, as only the tables' owner can.

    `without` is "table constraint", dropped for the rest of the test.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        )
        guarded = [name for (name,) in cursor.fetchall() if name.startswith("agent_")]
        for name in guarded:
            cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        if without:
            table, constraint = without.split()
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint} CASCADE")
        cursor.execute(statement, values)
        assert cursor.rowcount, "nothing was planted"
        for name in guarded:
            cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def broken(**options: Any) -> dict[str, Verified]:
    """Verify; return what is broken by name."""
    return {one.name: one for one in verify(**options) if one.violations}

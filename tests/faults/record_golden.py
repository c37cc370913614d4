"""Record what `test_golden_replay.py` drives again: `pytest tests/faults/record_golden.py`.

Real executions, driven by a real runner against the rehearsal server, mail server and authority.
Run it only when a change of what is sent or decided is meant, and read the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from agentops.accounts.models import User
from executions import operations
from executions.agents import get_agent
from executions.housekeeping import each_minute
from executions.models import AgentDefinition, AgentExecution, AgentReview
from tests.faults.deploying import died_inside
from tests.faults.golden_history import DEFINITIONS, FOLDER, recorded, write
from tests.faults.witness import Witness
from tests.support.rehearsed_agent import LETTER, READ, REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle

GENERATOR, STEWARD = "compliance_document_generator", "customer_record_steward"
SECOND = ("send_email", {**LETTER[1], "subject": "Another letter"})
RULE = ("lookup_regulation", {"code": "AML-6"})
FIND = ("find_customers", {"name": "Marlowe"})
MOST_REVIEWS = 6


@dataclass
class Recorder:
    """Drives executions over one API and saves them."""

    world: Witness
    people: list[User]
    api: str

    def launch(self, *script: dict[str, Any], **limits: Any) -> AgentExecution:
        return self._launched(REHEARSED.name, {"rehearse": list(script)}, limits)

    def sample(self, agent: str, **input_data: Any) -> AgentExecution:
        return self._launched(agent, input_data or get_agent(agent).sample_input, {})

    def _launched(self, agent: str, given: Any, limits: Any) -> AgentExecution:
        system = User.objects.get(username="system")
        made = operations.launch(agent_type=agent, input_data=given, user=system, limits=limits)
        return self.drive(made.execution)

    def drive(self, execution: AgentExecution) -> AgentExecution:
        run_until_idle(base_url=self.world.llm.base_url, api=self.api)
        execution.refresh_from_db()
        return execution

    def decide(
        self, review: AgentReview, *people: User, approve: bool = True, reason: str = ""
    ) -> None:
        for person in people or self.people[: review.required_votes if approve else 1]:
            operations.decide(
                review_id=review.pk, person=person, approve=approve, reason=reason,
                seen_digest=review.input_digest,
            )  # fmt: skip

    def settle(self, execution: AgentExecution, verdict: str) -> None:
        review = open_reviews(execution)[0]
        operations.settle(
            review_id=review.pk, person=self.people[0], verdict=verdict,
            seen_digest=review.input_digest, reason="seen in the mail server's log",
        )  # fmt: skip

    def save(self, name: str, execution: AgentExecution, about: str) -> None:
        execution = AgentExecution.objects.select_related("definition").get(pk=execution.pk)
        history = recorded(execution, api=self.api, about=about)
        write(FOLDER / f"{name}-{self.api}.json", history)


def open_reviews(execution: AgentExecution) -> list[AgentReview]:
    return list(AgentReview.objects.open().filter(execution=execution).order_by("created_at"))


@contextmanager
def no_time_left(table: str, change: str) -> Iterator[None]:
    """Change what guards freeze, as time would."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {table} SET {change}")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    yield


def agents(record: Recorder) -> None:
    for agent, given in ((GENERATOR, {}), (STEWARD, {"message_id": "M-2002"})):
        short = agent.split("_", 1)[0]
        execution = record.sample(agent, **given)
        for number in range(MOST_REVIEWS):
            waiting = open_reviews(execution)
            if not waiting:
                break
            record.save(f"{short}-waits-{number + 1}", execution, "waits for people")
            for review in waiting:
                record.decide(review)
            record.drive(execution)
        record.save(f"{short}-done", execution, "everything was approved")
    execution = record.sample(GENERATOR)
    record.decide(open_reviews(execution)[0], approve=False, reason="The tone is too sharp.")
    record.drive(execution)
    record.save("compliance-rejected", execution, "its first proposal was rejected")


def conversations(record: Recorder) -> None:
    said: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
        "plain": ([text("Good day. Ünïcödé, 漢字 and “quotes”.")], {}),
        "reads": ([calls(READ, RULE, FIND), calls(READ), text()], {}),
        "wrong-arguments": ([calls(("read_customer_record", {"customer": 7})), text()], {}),
        "unknown-tool": ([calls(("launch_rocket", {"at": "dawn"})), text()], {}),
        "no-such-record": (
            [calls(("read_customer_record", {"customer_id": "C-9999"})), text()], {},
        ),
        "refused-at-once": (
            [calls(("send_email", {**LETTER[1], "to": ["not an address"]})), text()], {},
        ),
        "too-many": ([calls(READ, RULE, FIND), text()], {"max_calls_per_step": 2}),
        "out-of-steps": ([calls(READ), calls(RULE), text()], {"max_steps": 2}),
        "loop": ([calls(READ)] * 5, {}),
        "empty-answers": ([text(""), text(""), text("at last")], {}),
        "no-usable-answer": ([text("")] * 4, {}),
        "refusal": ([{"refusal": "I will not."}], {}),
    }  # fmt: skip
    for name, (script, limits) in said.items():
        record.save(name, record.launch(*script, **limits), name.replace("-", " "))


def gates(record: Recorder) -> None:
    execution = record.launch(calls(LETTER, READ, SECOND), calls(RULE), text())
    record.save("parallel-waits", execution, "two letters and a read at once; both wait")
    first, second = open_reviews(execution)
    record.decide(first)
    record.save("parallel-half", execution, "one is approved, the other waits")
    record.decide(second, approve=False, reason="One letter is enough.")
    record.drive(execution)
    record.save("parallel-done", execution, "one was sent, the other rejected")

    execution = record.launch(calls(LETTER), text())
    operations.edit(
        review_id=open_reviews(execution)[0].pk, person=record.people[0],
        arguments={**LETTER[1], "subject": "A better subject"},
        seen_digest=open_reviews(execution)[0].input_digest,
    )  # fmt: skip
    record.save("edited-waits", execution, "a person edited it; somebody else must approve")
    record.decide(open_reviews(execution)[0], record.people[1])
    record.drive(execution)
    record.save("edited-done", execution, "the edited letter was sent")

    execution = record.launch(calls(LETTER), text())
    with no_time_left("agent_reviews", "expires_at = now() - interval '1 s' WHERE status = 'open'"):
        each_minute()
    record.drive(execution)
    record.save("expired", execution, "nobody decided in time")

    execution = record.launch(calls(LETTER), text())
    operations.cancel(
        execution_id=execution.pk, person=User.objects.get(username="system"), reason="no"
    )
    record.save("cancelled", execution, "cancelled while it waited")


def doubts(record: Recorder) -> None:
    for verdict in ("happened", "drop", "run"):
        execution = record.launch(calls(LETTER), text())
        record.decide(open_reviews(execution)[0])
        died_inside(execution)
        record.drive(execution)
        if verdict == "happened":
            record.save("in-doubt", execution, "its runner died while the letter left")
        record.settle(execution, verdict)
        record.drive(execution)
        record.save(f"doubt-{verdict}", execution, f"people said: {verdict}")


STORIES: list[Callable[[Recorder], None]] = [agents, conversations, gates, doubts]


@pytest.mark.parametrize("api", ["responses", "chat"])
def test_record(outside: Witness, reviewers: list[User], api: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    record = Recorder(outside, reviewers, api)
    for story in STORIES:
        story(record)
    write(DEFINITIONS, dict(AgentDefinition.objects.values_list("pk", "body")))

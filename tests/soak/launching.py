"""What is launched, and whoever cancels some of it: through operations, as commands would."""

from __future__ import annotations

import random
import threading
from typing import Any
from uuid import UUID

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution
from executions.operations.refusals import AlreadyFinal
from tests.soak.cast import CUSTOMERS, FIRST_CUSTOMER, FIRST_MESSAGE, MESSAGES
from tests.soak.robots import Robot
from tests.support.rehearsed_agent import REHEARSED, calls, text

GENERATOR, STEWARD = "compliance_document_generator", "customer_record_steward"
MIX = {"look": 44, "letter": 20, "letters": 5, "change": 15, "steward": 8, "generator": 8}
Call = tuple[str, dict[str, Any]]


class Accepted:
    """The ids of all executions that were accepted, whoever launched them."""

    def __init__(self) -> None:
        self._ids: set[UUID] = set()
        self._lock = threading.Lock()

    def add(self, id: UUID | str) -> None:
        with self._lock:
            self._ids.add(id if isinstance(id, UUID) else UUID(id))

    def ids(self) -> set[UUID]:
        with self._lock:
            return set(self._ids)


class Launcher(Robot):
    """Launches `per_s` executions a second, each under its own idempotency key."""

    def __init__(self, *, per_s: float, seed: int, accepted: Accepted) -> None:
        self.rng = random.Random(f"{seed}:launcher")
        super().__init__("launcher", pause_s=lambda: self.rng.expovariate(per_s))
        self._seed, self._number, self._accepted = seed, 0, accepted

    def act(self) -> None:
        self._number += 1
        kind = self.rng.choices(list(MIX), weights=list(MIX.values()))[0]
        agent, given = _input(kind, self.rng, self._number)
        launched = self.patiently(lambda: _launch(agent, given, f"{self._seed}-{self._number}"))
        self._accepted.add(launched)
        self.counts[kind] += 1


class Canceller(Robot):
    """Cancels one of the newest executions now and then."""

    def __init__(self, *, every_s: float, seed: int) -> None:
        self.rng = random.Random(f"{seed}:canceller")
        super().__init__("canceller", pause_s=lambda: self.rng.uniform(0.5, 1.5) * every_s)

    def act(self) -> None:
        self.patiently(self._cancel_one)

    def _cancel_one(self) -> None:
        newest = AgentExecution.objects.unfinished().order_by("-created_at")
        ids = list(newest.values_list("pk", flat=True)[:20])
        if not ids:
            return
        try:
            operations.cancel(
                execution_id=self.rng.choice(ids), person=_system(), reason="changed my mind"
            )
            self.counts["cancelled"] += 1
        except AlreadyFinal:
            self.counts["too late"] += 1


def _launch(agent: str, given: dict[str, Any], key: str) -> UUID:
    launched = operations.launch(
        agent_type=agent, input_data=given, user=_system(), idempotency_key=key
    )
    return launched.execution.pk


def _system() -> User:
    return User.objects.get(username="system")


def _input(kind: str, rng: random.Random, number: int) -> tuple[str, dict[str, Any]]:
    """Return the agent and its input for one execution of this kind."""
    customer = f"C-{FIRST_CUSTOMER + rng.randrange(CUSTOMERS)}"
    if kind == "generator":
        return GENERATOR, {"customer_id": customer, "regulation_code": rng.choice(REGULATIONS)}
    if kind == "steward":
        return STEWARD, {"message_id": f"M-{FIRST_MESSAGE + rng.randrange(MESSAGES)}"}
    steps = [calls(*_reads(rng, customer)) for _ in range(rng.randint(1, 3))]
    if kind == "letter":
        steps.append(calls(_letter(customer, number, "a")))
    elif kind == "letters":
        both = (_letter(customer, number, "a"), _letter(customer, number, "b"))
        steps.append(calls(*both, *_reads(rng, customer)))
    elif kind == "change":
        changes = {"address": f"Soak Lane {number}", "phone": f"+31 10 555 {number % 10_000:04d}"}
        arguments = {"customer_id": customer, "changes": changes, "reason": "They wrote to us."}
        steps.append(calls(("update_customer_record", arguments)))
    return REHEARSED.name, {"rehearse": [*steps, text(f"done {number}")]}


REGULATIONS = ("AML-6", "CRS-2")


def _reads(rng: random.Random, customer: str) -> list[Call]:
    possible: list[Call] = [
        ("find_customers", {"query": "a", "limit": rng.randint(1, 5)}),
        ("read_customer_record", {"customer_id": customer}),
        ("list_customer_documents", {"customer_id": customer}),
        ("lookup_regulation", {"code": rng.choice(REGULATIONS)}),
    ]
    return rng.sample(possible, rng.randint(1, 4))


def _letter(customer: str, number: int, which: str) -> Call:
    letter = {
        "to": [f"{customer.lower()}@soak.example"],
        "subject": f"Number {number}{which}",
        "body": "We looked into it.",
    }
    return "send_email", letter

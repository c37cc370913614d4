"""What must be true of the state machine's executions, kept in a few dicts beside the database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

NEEDED = {"submit_to_regulator": 2}  # votes; one elsewhere
FINAL = ("completed", "failed", "cancelled")
NEVER_DONE = ("pending", "awaiting_review", "approved", "rejected", "expired")


@dataclass
class Rights:
    """Of one reviewer."""

    permitted: bool = True
    active: bool = True

    @property
    def may(self) -> bool:
        return self.permitted and self.active


@dataclass
class Asked:
    """A review as a person saw it."""

    call: UUID
    digest: str
    arguments: Any
    needed: int = 1
    expired: bool = False
    is_closed: bool = False
    agreed: set[str] = field(default_factory=set)  # who approved exactly this


@dataclass
class Model:
    """`ends`, `steps`: by execution. `quiet`: executions that may start nothing any more."""

    people: dict[str, Rights]
    asked: dict[UUID, Asked] = field(default_factory=dict)
    editors: dict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))  # by call
    ends: dict[UUID, tuple[Any, ...]] = field(default_factory=dict)
    steps: dict[UUID, int] = field(default_factory=dict)
    quiet: set[UUID] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)  # tools

    def may_approve(self, person: str, review: UUID) -> bool:
        """Test if this person's approval of this review must be taken, were it open."""
        asked = self.asked[review]
        return (
            self.people[person].may
            and not (asked.expired or asked.is_closed)
            and person not in asked.agreed
            and person not in self.editors[asked.call]
        )

    def is_enough(self, asked: Asked) -> bool:
        """Test if its votes approve it. Those of people switched off since do not count."""
        return sum(self.people[name].active for name in asked.agreed) >= asked.needed

    def check_execution(self, id: UUID, status: str, steps: int, end: tuple[Any, ...]) -> None:
        assert steps >= self.steps.get(id, 0), f"{id}: steps fell to {steps}"
        self.steps[id] = steps
        if id in self.ends:
            assert self.ends[id] == (status, *end), f"{id}: was {self.ends[id]}, final"
        elif status in FINAL:
            self.ends[id] = (status, *end)
            self.quiet.add(id)

    def check_effect(self, call: dict[str, Any], happened: Any) -> None:
        """Judge an effect that the outside has just seen; `happened` is what it saw of it."""
        named = f"{call['tool_name']} {call['id']}"
        assert call["started"], f"{named} was not started"
        assert call["execution_id"] not in self.quiet, f"{named} came after the end or a cancel"
        assert call["tool_name"] not in self.paused, f"{named} is switched off"
        agreed = [one for one in self.asked.values() if one.call == call["id"]]
        needed = NEEDED.get(call["tool_name"], 1)
        assert any(self._stands(one, needed, happened) for one in agreed), (
            f"{named} happened as {happened}; people saw {agreed}"
        )

    def _stands(self, one: Asked, needed: int, happened: Any) -> bool:
        count = sum(self.people[name].may for name in one.agreed - self.editors[one.call])
        return count >= needed and not one.expired and one.arguments["subject"] == happened

    def check_call(self, call: dict[str, Any], seen: bool) -> None:
        """What the outside saw and the row's status must not contradict each other."""
        named = f"{call['tool_name']} {call['id']} is {call['status']}"
        if call["status"] == "succeeded" and call["tool_name"] in ("send_email", *NEEDED):
            assert seen, f"{named}, and the outside never saw it"
        if seen:
            assert call["status"] not in NEVER_DONE or call["started"], f"{named}, and it happened"

    def check_review(self, review: dict[str, Any]) -> None:
        """An open review is about a call that waits, in an execution that can hear of it."""
        awaits = {"approval": "awaiting_review", "doubt": "in_doubt"}[review["kind"]]
        assert review["call_status"] == awaits, review
        assert review["kind"] == "doubt" or review["execution_status"] not in FINAL, review

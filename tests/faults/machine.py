"""The state machine: whatever people, runners, queue and LLM do, in any order.

Each rule does one thing for certain; where there is nothing to do it to, it does nothing. After
each, `holds` compares the rows and the outside's ledgers with a model of what must be true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agentops.accounts.models import User
from executions import agents, operations
from executions.operations import Refusal
from tests.faults import acts, machine_scripts
from tests.faults.machine_ground import PEOPLE, Ground, give_rights
from tests.faults.machine_model import FINAL, Asked, Model, Rights
from tests.faults.scenarios import letter
from tests.support.pieces import Driven
from tests.support.rehearsed_agent import REHEARSED

AT_MOST = 4  # executions in one example
ROUNDS = 40  # until everything has ended

people = st.sampled_from(PEOPLE)
places = st.integers(0, 11)  # which of those there are
LLM_FAULTS = ("429", "500", "length", "bad_json_arguments", "empty", "duplicate_call_ids")


class Machine(RuleBasedStateMachine):
    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground = ground
        self.model = Model(people={name: Rights() for name in PEOPLE})
        self.ids: list[UUID] = []
        self.frozen: list[Driven] = []
        self.judged: set[str] = set()
        ground.begin()

    # ------------------------------------------------------------------ launching and running

    @initialize(words=machine_scripts.scripts)
    def launch_one(self, words: list[list[str]]) -> None:
        self.launch(words, max_steps=25)

    @precondition(lambda self: len(self.ids) < AT_MOST)
    @rule(words=machine_scripts.scripts, max_steps=st.sampled_from((25, 25, 25, 2)))
    def launch(self, words: list[list[str]], max_steps: int) -> None:
        self.ground.serial += 1
        launched = operations.launch(
            agent_type=REHEARSED.name,
            input_data={
                "rehearse": machine_scripts.written(
                    words, self.ground.outside.report, self.ground.serial
                )
            },
            user=user("olga"),
            limits={"max_steps": max_steps},
        )
        self.ids.append(launched.execution.pk)

    @rule()
    def drive(self) -> None:
        self.ground.drive()

    @rule(turn=st.integers(1, 40), choice=places)
    def drive_and_crash(self, turn: int, choice: int) -> None:
        self.ground.live_and_die(turn, choice)

    @precondition(lambda self: not self.frozen)
    @rule()
    def claim_and_freeze(self) -> None:
        second = self.ground.second
        self.frozen = self.ground.run(second.claim(room=2))
        self.ground.run(second.freeze())

    @precondition(lambda self: self.frozen)
    @rule()
    def wake_the_frozen(self) -> None:
        self.ground.counts["woke"] += len(self.frozen)
        self.ground.run(self.ground.second.drive(self.frozen))
        lost = [one for one in self.ground.second.journal.written if one.is_lost]
        self.ground.counts["stale writes"] += len(lost)
        self.ground.run(self.ground.second.begin_anew())
        self.frozen = []

    @rule(fault=st.sampled_from(LLM_FAULTS))
    def spoil_the_llm(self, fault: str) -> None:
        self.ground.outside.llm.clear_faults()
        self.ground.outside.llm.add_faults([{"fault": fault, "retry_after": 30}])

    # ------------------------------------------------------------------ queue and time

    @rule(act=st.sampled_from(("lose_tickets", "double_tickets", "each_minute", "let_time_pass")))
    def do(self, act: str) -> None:
        acts.ACTS[act]()

    @rule(place=places)
    def let_expire(self, place: int) -> None:
        """Also what is approved and has not started yet runs out of time."""
        if asked := list(self.model.asked):
            key = asked[place % len(asked)]
            if acts.let_expire(review=str(key)):
                self.model.asked[key].expired = True

    # ------------------------------------------------------------------ people

    @rule(person=people, place=places, approve=st.booleans(), stale=st.sampled_from((0, 0, 0, 1)))
    def decide(self, person: str, place: int, approve: bool, stale: int) -> None:
        if (review := self._pick("approval", place)) is None:
            return
        key, digest = review["id"], "0" * 64 if stale else review["input_digest"]
        asked = self.model.asked[key]
        may = self.model.may_approve(person, key) if approve else self._may_say(person, key)
        words = {"review_id": key, "person": user(person), "seen_digest": digest, "reason": "so"}
        accepted = done(operations.decide, approve=approve, **words)
        assert accepted == (may and not stale), (person, approve, stale, asked)
        if accepted and approve:
            asked.agreed.add(person)

    @rule(person=people, place=places)
    def edit(self, person: str, place: int) -> None:
        review = self._pick("approval", place)
        if review is None or review["tool_name"] != "send_email":
            return
        self.ground.serial += 1
        accepted = done(
            operations.edit,
            review_id=review["id"],
            person=user(person),
            arguments=letter(self.ground.serial * 10, 9)[1],
            seen_digest=review["input_digest"],
        )
        assert accepted == (self.model.people[person].may and not self._is_expired(review["id"]))
        if accepted:
            self.model.editors[review["call_id"]].add(person)

    @rule(person=people, place=places, run=st.booleans())
    def settle(self, person: str, place: int, run: bool) -> None:
        """People are honest: what the outside saw they do not let run again."""
        if review := self._pick("doubt", place):
            self._settle(review, person, "run" if run else "drop")

    @rule(place=places)
    def cancel(self, place: int) -> None:
        key = self.ids[place % len(self.ids)]
        if done(operations.cancel, execution_id=key, person=user("olga")):
            self.model.quiet.add(key)

    @rule(person=people, permitted=st.booleans(), active=st.booleans())
    def change_rights(self, person: str, permitted: bool, active: bool) -> None:
        give_rights(person, permitted=permitted, active=active)
        self.model.people[person] = Rights(permitted, active)

    @rule(tool=st.sampled_from(("send_email", "submit_to_regulator")))
    def switch(self, tool: str) -> None:
        self._switch(tool, off=tool not in self.model.paused)

    @rule(words=st.sampled_from(("Follow the script.", "Follow it to the letter.")))
    def change_the_agent(self, words: str) -> None:
        """What runs keeps the definition it was launched with."""
        agents._agents[REHEARSED.name] = replace(REHEARSED, instructions=words)

    # ------------------------------------------------------------------ what must be true

    @invariant()
    def holds(self) -> None:
        ground, model = self.ground, self.model
        calls = {call["id"]: call for call in ground.calls(self.ids)}
        by_key = {call["idempotency_key"]: call for call in calls.values()}
        seen = ground.seen()
        assert len({key for key, _ in seen}) == len(seen), "the outside saw a key twice"
        for key, subject in seen:
            assert key in by_key, f"the outside saw {key}, which no call has"
            if key not in self.judged:
                model.check_effect(by_key[key], subject)
                self.judged.add(key)
        for call in calls.values():
            model.check_call(call, seen=call["idempotency_key"] in self.judged)
        for row in ground.executions(self.ids):
            end = (row["completed_at"], row["stop_reason"])
            model.check_execution(row["id"], row["status"], row["step_count"], end)
        for review in ground.open_reviews(self.ids):
            model.check_review(review)
            model.asked.setdefault(
                review["id"], Asked(review["call_id"], review["input_digest"], review["tool_input"])
            )

    def teardown(self) -> None:
        """Let everything come to its end, and verify every promise."""
        agents._agents[REHEARSED.name] = REHEARSED
        self.ground.outside.llm.clear_faults()
        if self.frozen:
            self.wake_the_frozen()
        for name in PEOPLE:
            self.change_rights(name, permitted=True, active=True)
        for tool in list(self.model.paused):
            self._switch(tool, off=False)
        for _ in range(ROUNDS):
            if self._comes_to_its_end():
                break
        else:
            raise AssertionError(f"no end: {self.ground.executions(self.ids)}")
        self.ground.verify()
        for id, (status, *_) in self.model.ends.items():
            assert id in self.ids
            self.ground.counts[status] += 1

    def _comes_to_its_end(self) -> bool:
        acts.let_time_pass()
        acts.each_minute()
        self.ground.drive()
        self.holds()
        reviews = self.ground.open_reviews(self.ids)
        for number, review in enumerate(reviews):
            if review["kind"] == "doubt":
                self._settle(review, PEOPLE[number % len(PEOPLE)], "drop")
            for person in PEOPLE if review["kind"] == "approval" else ():
                self.decide(person, number, approve=number % 3 != 1, stale=0)
        ends = {row["status"] for row in self.ground.executions(self.ids)}
        return not reviews and ends <= set(FINAL)

    # ------------------------------------------------------------------ small parts

    def _pick(self, kind: str, place: int) -> dict[str, Any] | None:
        found = [one for one in self.ground.open_reviews(self.ids) if one["kind"] == kind]
        return found[place % len(found)] if found else None

    def _is_expired(self, review: UUID) -> bool:
        return self.model.asked[review].expired

    def _may_say(self, person: str, review: UUID) -> bool:
        voted = person in self.model.asked[review].agreed
        return self.model.people[person].may and not self._is_expired(review) and not voted

    def _settle(self, review: dict[str, Any], person: str, verdict: str) -> None:
        if review["idempotency_key"] in {key for key, _ in self.ground.seen()}:
            verdict = "happened"
        key = review["id"]
        words = {"person": user(person), "seen_digest": review["input_digest"], "reason": "looked"}
        accepted = done(operations.settle, review_id=key, verdict=verdict, **words)
        if accepted and verdict == "run":
            self.model.asked[key].agreed.add(person)
        if accepted:
            self.ground.counts[f"settled: {verdict}"] += 1

    def _switch(self, tool: str, *, off: bool) -> None:
        person = User.objects.get(username="system")
        if off:
            operations.pause(scope="tool", key=tool, person=person, reason="a look at it")
            self.model.paused.add(tool)
        else:
            operations.lift(scope="tool", key=tool, person=person)
            self.model.paused.remove(tool)


def user(name: str) -> User:
    return User.objects.get(username=name)


def done(operation: Callable[..., Any], **words: Any) -> bool:
    """Test if the operation was not refused."""
    try:
        operation(**words)
    except Refusal:
        return False
    return True

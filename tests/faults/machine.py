"""The state machine: whatever people, runners, queue and LLM do, in any order.

Each rule does one thing for certain; where there is nothing to do it to, it does nothing. After
each, `holds` compares the rows and the outside's ledgers with a model of what must be true.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agentops.accounts.models import User
from executions import agents, operations
from tests.faults import acts, machine_scripts
from tests.faults.machine_ground import PEOPLE, Ground, done, give_rights, user
from tests.faults.machine_model import FINAL, NEEDED, Asked, Model, Rights
from tests.faults.scenarios import letter
from tests.support.pieces import Driven
from tests.support.rehearsed_agent import REHEARSED

AT_MOST = 4  # executions in one example
ROUNDS = 40  # until everything has ended

people, others = st.sampled_from(PEOPLE), st.integers(0, 1)
places = st.integers(0, 11)  # which of those there are
mostly = st.sampled_from((True, True, True, False))
seldom = st.sampled_from((0, 0, 0, 0, 0, 1))
LLM_FAULTS = ("429", "500", "length", "bad_json_arguments", "empty", "duplicate_call_ids")


class Machine(RuleBasedStateMachine):
    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground = ground
        self.model = Model(people={name: Rights() for name in PEOPLE})
        self.ids: list[UUID] = []
        self.frozen: list[list[Driven]] = [[], []]
        self.judged: set[str] = set()
        ground.begin()

    # ------------------------------------------------------------------ launching and running

    @initialize(first=machine_scripts.gated, second=machine_scripts.scripts)
    def begin(self, first: list[list[str]], second: list[list[str]]) -> None:
        """Two executions that have come as far as they can without people."""
        for words in (first, second):
            self.launch(words, max_steps=25)
        self.ground.drive()

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

    @rule(turn=st.integers(1, 25), choice=places)
    def drive_and_crash(self, turn: int, choice: int) -> None:
        self.ground.live_and_die(turn, choice)

    @rule(which=others)
    def claim_and_freeze(self, which: int) -> None:
        """A runner takes what there is, also from dead ones, and is frozen before it drives it."""
        if not self.frozen[which]:
            runner = self.ground.others[which]
            self.frozen[which] = self.ground.run(runner.take(room=2))
            self.ground.run(runner.freeze())

    @rule(which=others)
    def wake_the_frozen(self, which: int) -> None:
        runner, ones = self.ground.others[which], self.frozen[which]
        self.ground.counts["woke"] += len(ones)
        self.ground.run(runner.drive(ones))
        self.ground.counts["stale writes"] += sum(one.is_lost for one in runner.journal.written)
        self.ground.run(runner.begin_anew())
        self.frozen[which] = []

    @rule(order=st.permutations((0, 1)))
    def succeed_each_other(self, order: list[int]) -> None:
        """One takes what there is and is frozen; its successor takes it over and is frozen; both
        wake, one after the other."""
        for which in (0, 1):
            self.claim_and_freeze(which)
        for which in order:
            self.wake_the_frozen(which)

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

    @rule(person=people, place=places, approve=st.sampled_from((True, True, False)), stale=seldom)
    def decide(self, person: str, place: int, approve: bool, stale: int) -> None:
        if review := self._pick("approval", place):
            self._decide(review, person, approve=approve, stale=stale)

    def _decide(self, review: dict[str, Any], person: str, *, approve: bool, stale: int) -> None:
        key, digest = review["id"], "0" * 64 if stale else review["input_digest"]
        asked = self.model.asked[key]
        may = self.model.may_approve(person, key) if approve else self._may_say(person, key)
        words = {"review_id": key, "person": user(person), "seen_digest": digest, "reason": "so"}
        accepted = done(operations.decide, approve=approve, **words)
        assert accepted == (may and not stale), (person, approve, stale, asked)
        if accepted and approve:
            asked.agreed.add(person)
        asked.is_closed |= accepted and (not approve or self.model.is_enough(asked))

    @rule(place=places)
    def agree(self, place: int) -> None:
        """As many people as it needs approve the same."""
        if review := self._pick("approval", place):
            for person in PEOPLE[: self.model.asked[review["id"]].needed]:
                self._decide(review, person, approve=True, stale=0)

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

    @rule(place=places, permitted=st.booleans())
    def take_rights_of_who_approved(self, place: int, permitted: bool) -> None:
        approvers = sorted({name for one in self.model.asked.values() for name in one.agreed})
        if approvers:
            person = approvers[place % len(approvers)]
            self.change_rights(person, permitted=permitted, active=not permitted)

    @rule(person=people, permitted=st.sampled_from((True, True, False)), active=mostly)
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
            shown = (review["call_id"], review["input_digest"], review["tool_input"])
            needed = NEEDED.get(review["tool_name"], 1)
            model.asked.setdefault(review["id"], Asked(*shown, needed))

    def teardown(self) -> None:
        """Let everything come to its end, and verify every promise."""
        self.change_the_agent(REHEARSED.instructions)
        self.ground.outside.llm.clear_faults()
        for which in (0, 1):
            self.wake_the_frozen(which)
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
            # who edited may only reject: with everybody's edits in it, nobody else is left
            free = any(self.model.may_approve(person, review["id"]) for person in PEOPLE)
            for person in PEOPLE if review["kind"] == "approval" else ():
                self._decide(review, person, approve=free and number % 3 != 1, stale=0)
        ends = {row["status"] for row in self.ground.executions(self.ids)}
        return not reviews and ends <= set(FINAL)

    # ------------------------------------------------------------------ small parts

    def _pick(self, kind: str, place: int) -> dict[str, Any] | None:
        found = [one for one in self.ground.open_reviews(self.ids) if one["kind"] == kind]
        return found[place % len(found)] if found else None

    def _is_expired(self, review: UUID) -> bool:
        return self.model.asked[review].expired

    def _may_say(self, person: str, review: UUID) -> bool:
        asked = self.model.asked[review]
        is_shut = asked.expired or asked.is_closed or person in asked.agreed
        return self.model.people[person].may and not is_shut

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

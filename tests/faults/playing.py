"""Playing a scenario: launch, drive until nothing moves, let people act, until the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from executions.models import AgentExecution, AgentReview
from tests.faults.acts import Act
from tests.faults.crashing import Fault, Place
from tests.faults.scenarios import Scenario
from tests.faults.world import PEOPLE, Outside, Report, key_of

ROUNDS = 60  # of people's acts, and of lives between two of them
MOVING = ("pending", "running")


class Hands(Protocol):
    """Who carries things out: in this process, or in processes that may be killed."""

    def do(self, act: Act) -> Any:
        """Carry out an act, as often as it takes to get an answer."""

    def drive(self) -> bool:
        """Let a runner live until it has nothing to do; False: it died."""

    def visit(self, place: tuple[str, int], act: Act) -> None:
        """Carry out an act at that hit, or at the end when it is never reached."""

    def catch_up(self) -> None:
        """Carry out the visits that were not made."""

    @property
    def places(self) -> list[Place]: ...

    @property
    def fired(self) -> list[Fault]: ...


@dataclass
class Played:
    """What was played, for the judge. `deaths`: of runners."""

    scenario: Scenario
    execution: UUID
    fired: list[Fault] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    deaths: int = 0
    letters: list[str] = field(default_factory=list)
    filings: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)


class Player:
    """Plays scenarios on one stage, one after the other."""

    def __init__(self, around: Outside, report: Report) -> None:
        self.around = around
        self.report = report
        self.serial = 0

    def play(self, scenario: Scenario, hands: Hands) -> Played:
        """Play it to its end, whatever is planned against it."""
        self.serial += 1
        self._look_outside()
        marker = f"play {self.serial} of {id(self)}"
        script = [*scenario.script(self.report, self.serial), {"text": marker}]
        self._spoil_llm(scenario, marker)
        played = Played(scenario, self._launch(scenario, script, marker, hands))
        for place, act in scenario.visits.items():
            hands.visit(place, Act(act.name, {"execution": str(played.execution)}))
        for _ in range(ROUNDS):
            self.bring_to_rest(hands, played)
            act = self._next_act(played)
            if act is None:
                break
            hands.do(act)
        else:
            raise AssertionError(f"{scenario.name}: no end in {ROUNDS} rounds")
        played.fired, played.places = list(hands.fired), list(hands.places)
        return self._noted(played)

    def bring_to_rest(self, hands: Hands, played: Played) -> None:
        """Let runners live, die and be followed by others until nothing moves any more."""
        for _ in range(ROUNDS):
            hands.do(Act("each_minute"))
            tickets = hands.do(Act("take_ticket"))
            lived = hands.drive()
            played.deaths += not lived
            if lived and tickets:
                hands.do(Act("acknowledge", {"ids": tickets}))
            hands.catch_up()
            moving = AgentExecution.objects.filter(status__in=MOVING)
            if not moving.exists():
                return
            if moving.filter(wake_at__isnull=False).exists():
                hands.do(Act("let_time_pass"))
        raise AssertionError(f"{played.scenario.name}: it does not come to rest")

    def _launch(self, scenario: Scenario, script: list[Any], key: str, hands: Hands) -> UUID:
        if scenario.by_sql:
            return UUID(hands.do(Act("launch_by_sql", {"script": script})))
        return UUID(hands.do(Act("launch", {"script": script, "key": key})))

    def _next_act(self, played: Played) -> Act | None:
        """Return what somebody does next; None when there is nothing to do."""
        reviews = AgentReview.objects.filter(execution_id=played.execution).order_by(
            "call__step_number", "call__call_index"
        )
        calls = list(dict.fromkeys(reviews.values_list("call_id", flat=True)))
        for review in reviews.open().select_related("call"):
            if review.kind == "doubt":
                return self._settle(played, review)
            verdict = played.scenario.verdicts[calls.index(review.call_id)]
            return answer(review, verdict)
        return None

    def _settle(self, played: Played, review: AgentReview) -> Act:
        """Say what the ledgers say about it."""
        self._noted(played)
        happened = review.call.idempotency_key in (*played.letters, *played.filings)
        verdict = "happened" if happened else "run"
        return settled(review, "drop" if played.scenario.doubts == "drop" else verdict)

    def _spoil_llm(self, scenario: Scenario, marker: str) -> None:
        if scenario.llm_faults:
            self.around.llm.clear_faults()
            self.around.llm.add_faults(
                [{**fault, "match": {"contains": marker}} for fault in scenario.llm_faults]
            )

    def _look_outside(self) -> None:
        for tail in (self.around.letters, self.around.filings, self.around.requests):
            tail.new()

    def _noted(self, played: Played) -> Played:
        """Note what the outside wrote down since the play began."""
        played.letters += [key_of(line) for line in self.around.letters.new()]
        played.filings += [line["idempotency_key"] for line in self.around.filings.new()]
        played.requests += self.around.requests.new()
        return played


def answer(review: AgentReview, verdict: str) -> Act:
    """Return the act that is this verdict on a review."""
    if verdict == "cancel":
        return Act("cancel", {"execution": str(review.execution_id)})
    if verdict == "expire":
        return Act("let_expire", {"review": str(review.pk)})
    return Act("decide", {**_vote(review), "approve": verdict == "approve"})


def settled(review: AgentReview, verdict: str) -> Act:
    return Act("settle", {**_vote(review), "verdict": verdict})


def _vote(review: AgentReview) -> dict[str, Any]:
    voted = set(review.votes.values_list("voter__username", flat=True))
    person = next(name for name in PEOPLE if name not in voted)
    return {"review": str(review.pk), "person": person, "digest": review.input_digest}

"""Playing a scenario: launch, drive until nothing moves, let people act, until the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from executions.models import AgentBreaker, AgentExecution, AgentReview
from tests.faults.acts import PEOPLE, Act
from tests.faults.crashing import Fault, Place
from tests.faults.scenarios import Scenario
from tests.faults.world import Outside, Report, key_of

ROUNDS = 60  # of people's acts, and of lives between two of them
MOVING = ("pending", "running")


class Hands(Protocol):
    """Who carries things out: in this process, or in processes that may be killed."""

    def do(self, act: Act) -> Any:
        """Carry out an act, as often as it takes to get an answer."""

    def drive(self, **changes: Any) -> bool:
        """Let a runner live until it has nothing to do; False: it died."""

    def visit(self, place: tuple[str, int] | int, act: Act) -> None:
        """Carry out an act at that hit, or at the end when it is never reached."""

    def catch_up(self) -> None:
        """Carry out the visits that were not made."""

    @property
    def places(self) -> list[Place]: ...

    @property
    def fired(self) -> list[Fault]: ...


@dataclass
class Played:
    """What was played, for the judge. `deaths`: of runners; `burials`: of living ones, at most;
    `deeds`: the acts done."""

    name: str
    executions: list[UUID] = field(default_factory=list)
    fired: list[Fault] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    deaths: int = 0
    burials: int = 0
    letters: list[str] = field(default_factory=list)
    filings: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    deeds: set[str] = field(default_factory=set)

    @property
    def told(self) -> str:
        return f"{self.name!r} ({', '.join(map(str, self.executions))}), faults {self.fired}"


class Player:
    """Plays scenarios on one stage, one after the other."""

    def __init__(self, around: Outside, report: Report) -> None:
        self.around = around
        self.report = report
        self.serial = 0

    def play(self, scenario: Scenario, hands: Hands) -> Played:
        """Play it to its end, whatever is planned against it.

        Plays one after the other in which a tool fails would shut its breaker in the end.
        """
        AgentBreaker.objects.all().delete()
        self.look_outside()
        played = Played(scenario.name)
        self._launch(scenario, hands, played)
        for place, act in scenario.visits.items():
            hands.visit(place, Act(act.name, {"execution": str(played.executions[0])}))
        for _ in range(ROUNDS):
            self.bring_to_rest(hands, played)
            act = self._next_act(scenario, played)
            if act is None:
                return self.ended(hands, played)
            hands.do(act)
        raise AssertionError(f"{played.told}: no end in {ROUNDS} rounds")

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
            if lived and not moving.exists():
                return  # after a death another runner has lived, and buried the dead one
            if moving.filter(wake_at__isnull=False).exists():
                hands.do(Act("let_time_pass"))
        raise AssertionError(f"{played.told}: it does not come to rest")

    def _launch(self, scenario: Scenario, hands: Hands, played: Played) -> None:
        self.serial += 1
        marker = f"play {self.serial} of {id(self)}"
        script = [*scenario.script(self.report, self.serial), {"text": marker}]
        self._spoil_llm(scenario, marker)
        act = Act("launch", {"script": script, "key": marker})
        if scenario.by_sql:
            act = Act("launch_by_sql", {"script": script})
        played.executions.append(UUID(hands.do(act)))

    def _next_act(self, scenario: Scenario, played: Played) -> Act | None:
        """Return what somebody does next; None when there is nothing to do."""
        reviews = AgentReview.objects.filter(execution_id__in=played.executions).order_by(
            "call__step_number", "call__call_index"
        )
        calls = list(dict.fromkeys(reviews.values_list("call_id", flat=True)))
        for review in reviews.open().select_related("call"):
            if review.kind == "doubt":
                return self.settle(played, review, drop=scenario.doubts == "drop")
            return answer(review, scenario.verdicts[calls.index(review.call_id)])
        return None

    def settle(self, played: Played, review: AgentReview, *, drop: bool) -> Act:
        """Say of a call in doubt what the ledgers say, or drop it."""
        self.note(played)
        happened = review.call.idempotency_key in (*played.letters, *played.filings)
        verdict = "happened" if happened else "run"
        return Act("settle", {**_vote(review), "verdict": "drop" if drop else verdict})

    def _spoil_llm(self, scenario: Scenario, marker: str) -> None:
        if scenario.llm_faults:
            self.around.llm.clear_faults()
            self.around.llm.add_faults(
                [{**fault, "match": {"contains": marker}} for fault in scenario.llm_faults]
            )

    def look_outside(self) -> None:
        for tail in (self.around.letters, self.around.filings, self.around.requests):
            tail.new()

    def note(self, played: Played) -> None:
        """Note what the outside wrote down since the play began."""
        played.letters += [key_of(line) for line in self.around.letters.new()]
        played.filings += [line["idempotency_key"] for line in self.around.filings.new()]
        played.requests += self.around.requests.new()

    def ended(self, hands: Hands, played: Played) -> Played:
        played.fired, played.places = list(hands.fired), list(hands.places)
        self.note(played)
        return played


def answer(review: AgentReview, verdict: str) -> Act:
    """Return the act that is this verdict on a review."""
    if verdict == "cancel":
        return Act("cancel", {"execution": str(review.execution_id)})
    if verdict == "expire":
        return Act("let_expire", {"review": str(review.pk)})
    return Act("decide", {**_vote(review), "approve": verdict == "approve"})


def _vote(review: AgentReview) -> dict[str, Any]:
    voted = set(review.votes.values_list("voter__username", flat=True))
    person = next(name for name in PEOPLE if name not in voted)
    return {"review": str(review.pk), "person": person, "digest": review.input_digest}

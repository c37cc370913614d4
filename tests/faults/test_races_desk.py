"""Two people press buttons of the desk at once: one outcome, and whoever comes too late reads who
did what, and when. Everything goes through the pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import pytest

from executions.models import AgentReview
from tests.faults.pressing import (
    AT,
    Answer,
    Person,
    Press,
    approves,
    approves_together,
    asks,
    cancels,
    edits,
    found_in,
    meet,
    pressing,
    rejects,
    stops,
)
from tests.faults.racing import assert_all_seen, at_the_gate, drive, open_review
from tests.faults.scenarios import letter
from tests.faults.witness import Witness
from tests.support.effort import Effort
from tests.support.racing import Racers
from tests.support.trial import trial
from tools.registry import get_tool

SENT = "approved"


@dataclass(frozen=True)
class Duel:
    """Rita presses one thing while Omar presses the other.

    `omar_reads`: what he is told when she was first; `rita_reads` the other way round; empty:
    nothing is in the way, both happen. `ends`: what the call has come to when she was first, and
    when he was.
    """

    rita: Press
    omar: Press
    omar_reads: str
    rita_reads: str
    ends: tuple[str, str]


DID = {"approve": "approved this", "reject": "rejected this", "ask": "asked the agent about this"}
RITA = {word: f"rita {did}{AT}" for word, did in DID.items()}
OMAR = {word: f"omar {did}{AT}" for word, did in DID.items()}
CHANGED = r"What changed since your page was loaded.*{who}.*{who} edited the arguments: Shorter\."
YOUR_EDIT = "Your edit, which was not taken.*As {who} puts it"
DUELS = {
    "R2: approve, approve": Duel(
        approves, approves, RITA["approve"], OMAR["approve"], (SENT, SENT)
    ),
    "R2: approve, reject": Duel(
        approves, rejects, RITA["approve"], OMAR["reject"], (SENT, "rejected")
    ),
    "R2: reject, reject": Duel(
        rejects, rejects, f"{RITA['reject']} “rita had", OMAR["reject"], ("rejected", "rejected")
    ),
    "R2: edit, approve": Duel(
        edits,
        approves,
        CHANGED.format(who="rita"),
        f"{OMAR['approve']}.*{YOUR_EDIT.format(who='rita')}",
        ("awaiting_review", SENT),
    ),
    "R2: edit, edit": Duel(
        edits,
        edits,
        f"{CHANGED.format(who='rita')}.*{YOUR_EDIT.format(who='omar')}",
        f"{CHANGED.format(who='omar')}.*{YOUR_EDIT.format(who='rita')}",
        ("awaiting_review", "awaiting_review"),
    ),
    "R6: approve, cancel": Duel(
        approves,
        cancels,
        "",
        f"The execution was cancelled{AT}.*omar cancelled it: omar had enough",
        ("cancelled", "cancelled"),
    ),
    "R2: ask, approve": Duel(asks, approves, RITA["ask"], OMAR["approve"], ("rejected", SENT)),
    "R2: stop, approve": Duel(stops, approves, RITA["reject"], OMAR["approve"], ("rejected", SENT)),
    "R2: cancel, cancel": Duel(
        cancels,
        cancels,
        f"The execution was cancelled{AT}.*rita cancelled it",
        f"The execution was cancelled{AT}.*omar cancelled it",
        ("cancelled", "cancelled"),
    ),
    "R11: approve, approve together": Duel(
        approves,
        approves_together,
        r"0 approved, 1 not.*rita approved this at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
        OMAR["approve"],
        (SENT, SENT),
    ),
}


@pytest.mark.parametrize("name", DUELS)
def test_of_two_at_once_one_wins_and_the_other_reads_who_did_what_when(
    outside: Witness, desks: list[Person], two: Racers, effort: Effort, name: str
) -> None:
    """R2, R6, R11: each pair of buttons, in both orders; what ran, ran once."""
    duel, rng, times = DUELS[name], effort.rng(name), effort.times(short=2, long=200)
    orders, to_be_sent = Counter[str](), []
    with trial(replace(get_tool("send_email"), risk="low")):
        executions = at_the_gate(outside, [[letter(number)] for number in range(times)])
    for number, execution in enumerate(executions):
        review = open_review(execution)
        presses = [
            pressing(move, person, review)
            for move, person in zip((duel.rita, duel.omar), desks, strict=True)
        ]
        ritas, omars = meet(two, review, *presses, turn=number, rng=rng)
        first = _first(duel, ritas, omars)
        orders[first] += 1
        review.call.refresh_from_db()
        assert review.call.status == duel.ends[first == "omar"]
        assert AgentReview.objects.filter(execution=execution).count() <= 2
        if review.call.status == SENT:
            to_be_sent.append(review.call.tool_input["subject"])

    drive(outside)

    assert_all_seen(orders, "rita", "omar")
    assert sorted(one["subject"] for one in outside.letters()) == sorted(to_be_sent)
    outside.check_invariants()


def _first(duel: Duel, ritas: Answer, omars: Answer) -> str:
    """Return who was first, after a look at what the other reads."""
    if _won(ritas) and _won(omars):
        assert "" in (duel.omar_reads, duel.rita_reads)
        return "omar" if duel.omar_reads else "rita"
    assert _won(ritas) != _won(omars), (ritas, omars)
    late, reads = (omars, duel.omar_reads) if _won(ritas) else (ritas, duel.rita_reads)
    assert late.status in (409, 200)
    assert (late.status == 200) == ("0 approved" in late.words)
    assert reads
    assert found_in(late, reads), late.words
    return "rita" if _won(ritas) else "omar"


def _won(answer: Answer) -> bool:
    return answer.status == 302 or "1 approved" in answer.words

"""A reviewer's morning: what waits is worked off by keyboard, and exactly that happens outside."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from agentops.accounts.models import User
from executions import housekeeping
from executions.models import AgentExecution, AgentReview, AgentReviewVote
from tests.browser.conftest import DESKTOP, Watch
from tests.journeys import morning
from tests.journeys.at_desk import AtDesk, Stages
from tests.journeys.conftest import World, check_invariants, until
from tests.journeys.ledgers import approved_inside, told_outside
from tests.journeys.morning import ANA, review_of
from tests.support.noting import LEDGER, RULE, form
from tests.support.noting import NAME as NOTE
from tests.support.website import web_server
from tools.models import Customer
from tools.registry import TOOLS

pytestmark = [pytest.mark.processes, pytest.mark.browser, pytest.mark.slow]

PASSWORD = "only for tests"
UNDO_S = 5
SAID = {
    "approve": "approved",
    "reject": "rejected",
    "ask": "asked about",
    "happened": "settled as happened",
}
IN_SCRIPT_S = 180
AGENTS = "agentops.agents,tests.support.rehearsed_agent,tests.support.noting"


@dataclass
class Desk:
    """Two people at it, what waits by name, and the world around."""

    rita: AtDesk
    omar: AtDesk
    waits: dict[str, AgentExecution]
    world: World
    watch: Watch
    notes: Path


@pytest.fixture
def low_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tool whose calls are of low risk, here as in the processes."""
    monkeypatch.setitem(TOOLS, NOTE, form("low"))


@pytest.fixture
def desk(
    browser: Browser,
    low_notes: None,
    reviewers: list[User],
    world: World,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> Iterator[Desk]:
    notes = tmp_path / "notes.jsonl"
    world.variables |= {"AGENTOPS_AGENT_MODULES": AGENTS, RULE: "low", LEDGER: str(notes)}
    world.cluster()
    address = web_server(world.start, **world.variables, AGENTOPS_UNDO_S=str(UNDO_S))
    watch, stages = Watch(own=address, answers={409}), Stages(pytestconfig.getoption("--shots"))
    people = []
    for person in reviewers:
        page = browser.new_context(base_url=address, viewport=DESKTOP).new_page()
        page.set_default_timeout(15_000)
        watch.follow(page)
        people.append(AtDesk(page, stages))
        people[-1].log_in(person.username, PASSWORD)
    yield Desk(*people, morning.build(reviewers[1]), world, watch, notes)
    assert watch.found == []


def test_a_morning_is_worked_off_by_keyboard_and_exactly_that_happens(
    desk: Desk, tmp_path: Path
) -> None:
    began = time.monotonic()
    desk.rita.to_list()
    desk.rita.look("queue")
    expect(desk.rita.page.get_by_role("heading", level=1)).to_have_text("12 actions wait for you")
    settle_the_doubt(desk)
    come_too_late(desk)
    see_who_is_on_it(desk)
    approve_and_take_back(desk)
    have_an_edit_approved(desk)
    decide_the_alike_together(desk)
    turn_one_away(desk)
    ask_before_deciding(desk)
    reject_for_something_better(desk)
    file_with_two_votes(desk)
    decided = AgentReviewVote.objects.count()
    took = time.monotonic() - began - desk.rita.stages.took_s
    assert decided > 10
    assert took < IN_SCRIPT_S
    wait_for_the_ends(desk)
    told_at_the_end(desk.rita)
    assert told_outside(desk.world, desk.notes) == approved_inside()
    assert max(told_outside(desk.world, desk.notes).values()) == 1
    check_invariants(tmp_path, desk.world)


def settle_the_doubt(desk: Desk) -> None:
    desk.rita.open("[drop] Statement of the year")
    desk.rita.settle("It happened.", "It is in the mail server's own ledger.", look="doubt")
    desk.rita.reads("Settled: it happened.")
    desk.rita.next()


def come_too_late(desk: Desk) -> None:
    """It expires while it is being read; nothing is sent, and the agent hears of it."""
    expect(desk.rita.page.get_by_role("heading", level=1)).to_contain_text("Your passport expires")
    desk.rita.look("about-to-expire")
    review = AgentReview.objects.filter(execution=desk.waits["due"])
    review.update(expires_at=review.get().created_at)
    desk.rita.approve()
    expect(desk.rita.page.get_by_role("alert")).to_contain_text("nothing was done")
    desk.rita.look("too-late")
    assert housekeeping.each_minute()["expired"] == 1
    until(desk.waits["due"], "completed")
    assert not review.get().votes.exists()


def see_who_is_on_it(desk: Desk) -> None:
    """One of them claims it, both see who is on it, and the other skips it."""
    words = "Opening hours in December"
    desk.rita.claim(words)
    desk.rita.look("claimed")
    desk.rita.press("j")
    assert words in desk.rita.focused()  # on from the row that was at hand
    desk.omar.to_list()
    for person, name in ((desk.rita, "You"), (desk.omar, "rita")):
        row = person.page.locator(".task", has_text=words)
        expect(row.locator(".who")).to_contain_text(re.compile(rf"{name}\d+ min left"))
    left = AgentReview.objects.open().count() - 1
    expect(desk.omar.page.get_by_role("link", name=f"Unclaimed {left}")).to_be_visible()


def approve_and_take_back(desk: Desk) -> None:
    """One is approved; one as well, taken back inside its window, and approved after all."""
    desk.rita.open("Your periodic review is done")
    desk.rita.look("mail")
    desk.rita.approve(look="confirm")
    desk.rita.reads("Approved. It starts in")
    desk.rita.open("Opening hours in December")
    desk.rita.approve()
    desk.rita.reads("Approved. It starts in")
    desk.rita.take_back(look="undo")
    desk.rita.reads("Taken back before it started.")
    desk.rita.approve()
    desk.rita.reads("Approved. It starts in")


def have_an_edit_approved(desk: Desk) -> None:
    """Who edits does not approve; somebody else does, in a browser of their own."""
    desk.rita.open("Your repott")
    desk.rita.edit("Subject", "Your report", look="edit")
    desk.rita.reads("You edited these arguments")
    desk.omar.open("Your report")
    desk.omar.look("edited")
    desk.omar.approve()
    desk.omar.reads("Approved. It starts in")


def decide_the_alike_together(desk: Desk) -> None:
    desk.rita.decide_alike(look="alike")
    desk.rita.reads("2 approved")
    desk.rita.look("alike-done")


def turn_one_away(desk: Desk) -> None:
    desk.rita.open("Your account is closed")
    desk.rita.reject("Do not send this: the account is open.", look="reject")
    desk.rita.reads("Rejected. Nothing was done.")
    desk.rita.open("Change the telephone of Ostrava Metals")
    desk.rita.look("record")
    desk.rita.approve()
    until(desk.waits["phone"], "completed")
    assert Customer.objects.get(pk="C-1002").phone == morning.PHONE["changes"]["phone"]


def ask_before_deciding(desk: Desk) -> None:
    """The agent answers with the same proposal and its reasons, and then it is approved."""
    first = review_of(desk.waits["asked"])
    desk.rita.open("Re: details")
    desk.rita.ask("Has she not told us by telephone?", look="ask")
    second = review_of(desk.waits["asked"])
    assert second.call_id != first.call_id
    desk.rita.open("Re: details")
    desk.rita.reads("Has she not told us by telephone?")
    desk.rita.look("answer")
    desk.rita.approve()
    desk.rita.reads("Approved. It starts in")


def reject_for_something_better(desk: Desk) -> None:
    """The change is approved; the letter about it is rejected, and a better one approved."""
    desk.rita.open("Change the telephone of Françoise Lefèvre")
    desk.rita.approve()
    poor = review_of(desk.waits["answered"], "send_email")
    desk.rita.open("Re: Nouveau numéro de téléphone")
    desk.rita.reject("The subject should read “Votre nouveau numéro”.")
    better = review_of(desk.waits["answered"], "send_email")
    assert better.call_id != poor.call_id
    desk.rita.open("Votre nouveau numéro")
    desk.rita.look("better")
    desk.rita.approve()
    desk.rita.reads("Approved. It starts in")


def file_with_two_votes(desk: Desk) -> None:
    filed = desk.waits["filed"]
    desk.omar.open("Make the report")
    desk.omar.look("document")
    desk.omar.approve()
    review_of(filed, "submit_to_regulator")
    desk.rita.open("File DOC-")
    desk.rita.look("filing")
    desk.rita.approve(look="confirm-filing")
    desk.rita.reads("1 of 2")
    desk.rita.look("first-vote")
    assert desk.world.authority.filings() == []
    desk.omar.open("File DOC-")
    desk.omar.approve()
    desk.omar.reads("Approved, and done.")
    desk.omar.look("filed")
    review_of(filed, "send_email")
    desk.omar.open(ANA)
    desk.omar.approve()


def wait_for_the_ends(desk: Desk) -> None:
    for name, execution in desk.waits.items():
        ended = until(execution, "completed", "failed", "cancelled", within_s=60)
        assert ended.status == "completed", (name, ended.error)


def told_at_the_end(reviewer: AtDesk) -> None:
    """Nothing waits; who decided last, and how often today, as the rows have it."""
    reviewer.to_list()
    page = reviewer.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits for you")
    last = page.get_by_role(
        "heading", name=re.compile(r"The last decision was at \d\d:\d\d, by omar")
    )
    expect(last).to_be_visible()
    reviewer.look("empty")
    mine = Counter(
        AgentReviewVote.objects.filter(voter__username="rita").values_list("vote", flat=True)
    )
    told = ", ".join(f"{mine[vote]} {said}" for vote, said in SAID.items() if mine[vote])
    expect(page.get_by_text(f"You decided {mine.total()} today: {told}")).to_be_visible()
    everybody = AgentReviewVote.objects.count()
    expect(page.get_by_text(f"All together: {everybody} decided today")).to_be_visible()

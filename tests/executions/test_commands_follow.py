"""`--follow`: what happens is printed once it is committed, and the exit status says how it ended.

The runner and the reviewers act while the follower rests between two looks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError

from agentops.accounts.models import User
from executions import operations
from executions.management import following
from executions.management.commands import launch_agent, show_execution
from executions.models import AgentExecution, AgentReview
from tests.executions.shell import Ran, run
from tests.executions.stories import broken
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, READ, REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle

Act = Callable[[], object]


@pytest.fixture
def between_looks(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[..., None]:
    """`between_looks(act, act, …)`: what happens each time that the follower rests."""
    settings.OPENAI_API_KEY = "sk-not-a-real-one"

    def arrange(*acts: Act) -> None:
        left = iter(acts)
        follow = partial(following.follow, sleep=lambda _: next(left)())
        monkeypatch.setattr(launch_agent, "follow", follow)
        monkeypatch.setattr(show_execution, "follow", follow)

    return arrange


def launch(script: list[dict[str, Any]], *arguments: str) -> Ran:
    given = json.dumps({"rehearse": script})
    return run("launch_agent", REHEARSED.name, "--input", given, "--follow", *arguments)


def decide(*people: User, approve: bool = True, reason: str = "") -> Act:
    def act() -> None:
        for review in AgentReview.objects.open():
            for person in people:
                operations.decide(
                    review_id=review.pk,
                    person=person,
                    approve=approve,
                    seen_digest=review.input_digest,
                    reason=reason,
                )

    return act


def run_runner(llm: RehearsalServer) -> Act:
    return lambda: run_until_idle(base_url=llm.base_url)


def interrupt() -> None:
    raise KeyboardInterrupt


def test_it_tells_the_story_to_its_end(
    llm: RehearsalServer, reviewers: list[User], between_looks: Callable[..., None]
) -> None:
    rita, _ = reviewers
    drive = run_runner(llm)
    no = decide(rita, approve=False, reason="wrong \x1b[31mcustomer")
    between_looks(drive, no, drive, decide(rita), lambda: None, drive)

    ran = launch([calls(READ), calls(LETTER), calls(LETTER), text("all done")])

    assert ran.status == 0
    told = ran.out.splitlines()
    execution = AgentExecution.objects.get()
    refused, approved = AgentReview.objects.order_by("created_at")
    expected = [
        f"Launched {REHEARSED.name} {execution.pk} for system.",
        "step 1  *  asks for read_customer_record",
        '  1.1 read_customer_record  {"customer_id": "C-1001"}  succeeded in * ms',
        "step 2  *  asks for send_email",
        "  2.1 send_email  Send an e-mail to ana.duarte@marlowe-shipping.example about “Hello”"
        f"  waits for a person: /reviews/{refused.pk}/",
        "waits for people; nothing is held meanwhile",
        "  2.1 send_email  rejected (rita rejected: wrong \\u001b[31mcustomer)",
        "step 3  *  asks for send_email",
        "  3.1 send_email  Send an e-mail to ana.duarte@marlowe-shipping.example about “Hello”"
        f"  waits for a person: /reviews/{approved.pk}/",
        "waits for people; nothing is held meanwhile",
        "  3.1 send_email  approved (rita approved)",
        "  3.1 send_email  succeeded in * (rita approved)",
        "step 4  *  answers",
        "completed in 4 steps, * tokens, *, * active",
        "{",
        '  "text": "all done"',
        "}",
    ]
    assert len(told) == len(expected), ran.out
    for line, pattern in zip(told, expected, strict=True):
        assert re.fullmatch(like(pattern), line), f"{line!r} is not like {pattern!r}"
    assert broken() == {}


def like(pattern: str) -> str:
    """A regular expression for `pattern`, in which * is anything."""
    return re.escape(pattern).replace(r"\*", ".*")


def test_it_counts_the_votes_as_they_come(
    llm: RehearsalServer, reviewers: list[User], between_looks: Callable[..., None]
) -> None:
    (rita, omar), drive = reviewers, run_runner(llm)
    between_looks(drive, decide(rita), drive, decide(rita), decide(omar), interrupt)
    told = run("launch_agent", "compliance_document_generator", "--sample", "--follow").out
    assert "4.1 submit_to_regulator  File DOC-" in told
    assert "”  waits for 2 people: /reviews/" in told
    assert "4.1 submit_to_regulator  rita approved; waits for another person: /reviews/" in told
    assert "4.1 submit_to_regulator  approved (rita approved, omar approved)" in told


def test_a_failure_is_told_with_its_reason_and_status_1(
    llm: RehearsalServer, between_looks: Callable[..., None]
) -> None:
    between_looks(run_runner(llm))
    ran = launch([calls(READ), calls(READ)], "--limit", "max_steps=1")
    assert ran.status == 1
    assert "failed in 1 step" in ran.out
    assert "MAX_STEPS_EXCEEDED: it reached its limit of 1 steps" in ran.out


def test_a_cancel_ends_it_with_status_3(
    llm: RehearsalServer, between_looks: Callable[..., None]
) -> None:
    def cancel() -> None:
        id = str(AgentExecution.objects.get().pk)
        assert run("cancel_execution", id[:8], "--reason", "no").out.startswith("Cancelled")

    between_looks(run_runner(llm), cancel)
    ran = launch([calls(LETTER)])
    assert ran.status == 3
    assert "  1.1 send_email  cancelled" in ran.out
    assert "CANCELLED: system cancelled it: no" in ran.out


def test_it_may_stop_where_only_a_person_can_go_on(
    llm: RehearsalServer, between_looks: Callable[..., None]
) -> None:
    between_looks(run_runner(llm))
    ran = launch([calls(LETTER)], "--no-wait-review")
    assert ran.status == 4
    id = AgentExecution.objects.get().pk
    assert f"Only a person can go on with it. Follow it again: manage.py show_execution {id}" in (
        ran.err
    )


def test_ctrl_c_leaves_it_running_and_says_how_to_come_back(
    llm: RehearsalServer, between_looks: Callable[..., None]
) -> None:
    between_looks(interrupt)
    ran = launch([text()])
    assert ran.status == 4
    execution = AgentExecution.objects.get()
    assert execution.status == "pending"
    assert f"Stop it: manage.py cancel_execution {execution.pk}." in ran.err

    between_looks(run_runner(llm))
    again = run("show_execution", str(execution.pk), "--follow")
    assert again.status == 0
    assert "step 1" in again.out
    assert "completed in 1 step" in again.out


def test_as_json_every_line_is_an_event(
    llm: RehearsalServer, between_looks: Callable[..., None]
) -> None:
    between_looks(run_runner(llm))
    ran = launch([calls(READ), text("é")], "--json")
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert [line.get("event") for line in told] == [None, "step", "call", "step", "end"]
    assert told[2]["status"] == "succeeded"
    assert told[4]["result"] == {"text": "é"}
    assert ran.out.isascii()


def test_it_outlasts_a_database_that_is_away_for_a_while(
    llm: RehearsalServer, between_looks: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    news = following.Follower.news
    outages = [OperationalError("the server is going down\nfor a moment")]

    def sometimes(self: following.Follower) -> list[following.News]:
        if outages:
            raise outages.pop()
        return news(self)

    monkeypatch.setattr(following.Follower, "news", sometimes)
    between_looks(run_runner(llm))
    ran = launch([text()])
    assert ran.status == 0
    assert "the database does not answer (the server is going down)" in ran.err


def test_a_database_that_stays_away_ends_it_with_status_5(
    llm: RehearsalServer, between_looks: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: following.Follower) -> list[following.News]:
        raise OperationalError("connection refused")

    monkeypatch.setattr(following.Follower, "news", never)
    monkeypatch.setattr(following, "PATIENCE_S", 0.0)
    between_looks(lambda: None)
    ran = launch([text()])
    assert ran.status == 5
    assert "What was stored is safe; look again with show_execution" in ran.err

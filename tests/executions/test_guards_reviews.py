"""A review is approved by the votes of people who may, and by nothing else (I5)."""

from __future__ import annotations

import pytest

from tests.executions.scene import Attack, Names, assert_refused, each, run

pytestmark = pytest.mark.django_db

APPROVE = "UPDATE agent_reviews SET status = 'approved' WHERE id = "


def vote(
    by: str, on: str = "asked_review", *, say: str = "approve", digest: str | None = None
) -> str:
    """SQL of a vote on what the review shows, unless another digest is given."""
    shown = f"'{digest}'" if digest else "input_digest"
    return (
        "INSERT INTO agent_review_votes (review_id, voter_id, vote, input_digest)"
        f" SELECT id, %({by})s, '{say}', {shown} FROM agent_reviews WHERE id = %({on})s"
    )


def review(of: str = "naked", **columns: str) -> str:
    """SQL of another review of a call; `columns` are SQL expressions."""
    given = {
        "call_id": "id",
        "execution_id": "execution_id",
        "tool_name": "tool_name",
        "input_digest": "input_digest",
        "version": "7",
        **columns,
    }
    return (
        f"INSERT INTO agent_reviews ({', '.join(given)})"
        f" SELECT {', '.join(given.values())} FROM agent_tool_calls WHERE id = %({of})s"
    )


def changed(columns: str, of: str = "asked_review") -> str:
    return f"UPDATE agent_reviews SET {columns} WHERE id = %({of})s"


APPROVALS = [
    Attack("without votes", f"{APPROVE} %(asked_review)s", "0 of 1 votes"),
    Attack(
        "with one vote of two",
        [vote("rita", "filing_review"), f"{APPROVE} %(filing_review)s"],
        "1 of 2 votes",
    ),
    Attack(
        "with a rejection beside it",
        [vote("rita", say="reject"), f"{APPROVE} %(asked_review)s"],
        "0 of 1 votes",
    ),
    Attack(
        "with the vote of somebody switched off since",
        [
            vote("rita"),
            "UPDATE accounts_user SET is_active = false WHERE id = %(rita)s",
            f"{APPROVE} %(asked_review)s",
        ],
        "0 of 1 votes",
    ),
    Attack(
        "after its expiry",
        f"{APPROVE} %(overdue_review)s",
        "it expired at",
    ),
    Attack(
        "by letting it begin so",
        review(status="'approved'"),
        "a review begins open, not approved",
    ),
    Attack(
        "by asking for fewer votes",
        [vote("rita", "filing_review"), changed("required_votes = 1", "filing_review")],
        "what was put before people is frozen",
    ),
    Attack(
        "by a second review that asks for fewer votes",
        [
            changed("status = 'void'", "filing_review"),
            review("filing", required_votes="1", version="2"),
        ],
        "submit_to_regulator needs at least 2 votes, not 1",
    ),
    Attack(
        "after lowering what the tool needs",
        "UPDATE agent_gated_tools SET least_votes = 1 WHERE tool_name = 'submit_to_regulator'",
        "the gate of submit_to_regulator is never opened or lowered",
    ),
    Attack(
        "again, after it was rejected",
        [vote("rita", say="reject"), changed("status = 'rejected'"), f"{APPROVE} %(asked_review)s"],
        "no way from rejected to approved",
    ),
]

VOTES = [
    Attack("the launcher", vote("olga"), "who launched or edited it"),
    Attack("a service user", vote("system"), "is no person, cannot approve it"),
    Attack("a service user who rejects", vote("system", say="reject"), "cannot reject it"),
    Attack("an inactive user", vote("gone"), "is no person, cannot approve it"),
    Attack(
        "who edited this version",
        [
            changed("status = 'void'"),
            review("asked", edited_by="%(rita)s", id="'0e0e0e0e-0000-4000-8000-000000000000'"),
            vote("rita").replace("%(asked_review)s", "'0e0e0e0e-0000-4000-8000-000000000000'"),
        ],
        "who launched or edited it",
    ),
    Attack(
        "who edited an earlier version",
        [
            changed("status = 'void'"),
            review("asked", edited_by="%(rita)s", version="2", id="gen_random_uuid()"),
            "UPDATE agent_reviews SET status = 'void' WHERE call_id = %(asked)s AND version = 2",
            review("asked", version="3", id="'0e0e0e0e-0000-4000-8000-000000000000'"),
            vote("rita").replace("%(asked_review)s", "'0e0e0e0e-0000-4000-8000-000000000000'"),
        ],
        "who launched or edited it",
    ),
    Attack("twice", [vote("rita"), vote("rita", say="reject")], "one_vote_per_person"),
    Attack("on other arguments", vote("rita", digest="other"), "on other arguments than it shows"),
    Attack("after the close", vote("omar", "approved_review"), "is approved and takes no vote"),
    Attack("after the expiry", vote("rita", "overdue_review"), "is expired and takes no vote"),
    Attack("with a word nobody knows", vote("rita", say="perhaps"), "valid_vote"),
    Attack(
        "on a review that is not there",
        "INSERT INTO agent_review_votes (review_id, voter_id, vote, input_digest)"
        " VALUES (gen_random_uuid(), %(rita)s, 'approve', 'x')",
        "violates foreign key constraint",
    ),
    Attack(
        "for somebody else, over a vote that is there",
        [
            vote("rita", say="reject"),
            vote("rita") + " ON CONFLICT (review_id, voter_id, coalesce(withdrawn_at, 'infinity'))"
            " DO UPDATE SET vote = 'approve'",
        ],
        "UPDATE is refused: agent_review_votes keeps what happened",
    ),
]

FROZEN = [
    Attack("put off the expiry", changed("expires_at = now() + interval '1 year'"), "put off"),
    Attack("take the expiry away", changed("expires_at = NULL"), "cannot be put off"),
    Attack(
        "shorten the undo window",
        changed("effective_at = now()", "undoable_review"),
        "its undo window is frozen",
    ),
    Attack("show other arguments", changed("input_digest = 'other'"), "is frozen"),
    Attack("show a lower risk", changed("risk = 'low'"), "is frozen"),
    Attack("show another reason", changed("reason = 'routine'"), "is frozen"),
    Attack("name another target version", changed("target_version = '9'"), "is frozen"),
    Attack("forget who edited", changed("edited_by = %(omar)s"), "is frozen"),
    Attack("point it at another call", changed("call_id = %(naked)s"), "is frozen"),
    Attack(
        "move it to another execution", changed("execution_id = %(other_execution)s"), "is frozen"
    ),
    Attack("open it again", changed("status = 'open'", "approved_review"), "no way from approved"),
    Attack("reject it for nobody", changed("status = 'rejected'"), "nobody rejected it"),
    Attack(
        "reject a doubt by a question",
        [
            vote("rita", "doubt", say="ask"),
            changed("status = 'rejected'", "doubt"),
        ],
        "nobody rejected it",
    ),
    Attack("let it expire early", changed("status = 'expired'"), "it has not expired"),
    Attack(
        "name the wrong tool",
        review(tool_name="'note'"),
        "names the execution and tool of its call",
    ),
    Attack(
        "name the wrong execution",
        review(execution_id="%(other_execution)s::uuid"),
        "names the execution and tool of its call",
    ),
    Attack(
        "show arguments the call does not have",
        review(input_digest="'other'"),
        "shows the arguments of its call, or says who edited",
    ),
    Attack("ask twice at once", review("asked"), "one_open_review_per_call"),
    Attack(
        "ask about doubt where there is none",
        review("approved", kind="'doubt'"),
        "only a call in doubt is settled",
    ),
]


@each(APPROVALS)
def test_a_review_is_never_approved(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


@each(VOTES)
def test_no_vote_by_or(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


@each(FROZEN)
def test_a_review_is_what_it_was_put_before_people_as(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


def test_when_it_was_decided_cannot_be_moved(names: Names) -> None:
    before = run(names, "SELECT decided_at FROM agent_reviews WHERE id = %(approved_review)s")
    run(names, changed("decided_at = now() - interval '1 day'", "approved_review"))
    after = run(names, "SELECT decided_at FROM agent_reviews WHERE id = %(approved_review)s")
    assert before == after


def test_two_permitted_people_do_approve(names: Names) -> None:
    run(names, vote("rita", "filing_review"))
    run(names, vote("omar", "filing_review"))
    run(names, f"{APPROVE} %(filing_review)s")


def test_the_launcher_may_still_reject(names: Names) -> None:
    run(names, vote("olga", say="reject"))
    run(names, changed("status = 'rejected'"))


@pytest.mark.parametrize("statement", ["least_votes = 3", "least_votes = least_votes"])
def test_a_gate_may_grow(names: Names, statement: str) -> None:
    run(names, f"UPDATE agent_gated_tools SET {statement} WHERE tool_name = 'send_email'")
    run(names, "INSERT INTO agent_gated_tools VALUES ('wire_money', 2)")

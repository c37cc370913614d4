"""A vote is withdrawn by who cast it, while nothing follows from it; then it counts no more."""

from __future__ import annotations

import pytest
from django.db import transaction

from tests.executions.scene import Attack, Names, assert_refused, each, run
from tests.executions.test_guards_reviews import APPROVE, changed, vote

pytestmark = pytest.mark.django_db

WITHDRAW = "UPDATE agent_review_votes SET withdrawn_at = {} WHERE voter_id = %(rita)s"


def acting(who: str) -> str:
    return f"SELECT set_config('agentops.actor', %({who})s::text, true)"


def withdrawn(to: str = "now()", on: str = "asked_review") -> str:
    """SQL that withdraws rita's vote on a review."""
    return WITHDRAW.format(to) + f" AND review_id = %({on})s"


WITHDRAWALS = [
    Attack(
        "by somebody else",
        [vote("rita"), acting("omar"), withdrawn()],
        "a vote is withdrawn by who cast it",
    ),
    Attack("by nobody", [vote("rita"), withdrawn()], "a vote is withdrawn by who cast it"),
    Attack(
        "of a rejection",
        [vote("rita", say="reject"), acting("rita"), withdrawn()],
        "an approval is withdrawn, once",
    ),
    Attack(
        "twice",
        [vote("rita"), acting("rita"), withdrawn(), withdrawn()],
        "an approval is withdrawn, once",
    ),
    Attack(
        "to take the withdrawal back",
        [vote("rita"), acting("rita"), withdrawn(), withdrawn("NULL")],
        "an approval is withdrawn, once",
    ),
    Attack(
        "after the approval",
        [acting("rita"), withdrawn(on="approved_review")],
        "is approved and gives no vote back",
    ),
    Attack(
        "after the start",
        [acting("rita"), withdrawn(on="started_review")],
        "is approved and gives no vote back",
    ),
    Attack(
        "after the expiry",
        [
            vote("rita"),
            acting("rita"),
            changed("expires_at = clock_timestamp()"),
            withdrawn(),
        ],
        "is expired and gives no vote back",
    ),
    Attack(
        "with another vote in its place",
        [vote("rita"), acting("rita"), withdrawn("now(), vote = 'reject'")],
        "UPDATE is refused: agent_review_votes keeps what happened",
    ),
    Attack(
        "before it was cast",
        vote("rita")
        .replace("input_digest)", "input_digest, withdrawn_at)")
        .replace(" FROM agent_reviews", ", now() FROM agent_reviews"),
        "INSERT is refused: agent_review_votes keeps what happened",
    ),
    Attack(
        "and counts all the same",
        [vote("rita"), acting("rita"), withdrawn(), f"{APPROVE} %(asked_review)s"],
        "0 of 1 votes",
    ),
    Attack(
        "and counts beside another",
        [
            vote("rita", "filing_review"),
            acting("rita"),
            withdrawn(on="filing_review"),
            vote("omar", "filing_review"),
            f"{APPROVE} %(filing_review)s",
        ],
        "1 of 2 votes",
    ),
    Attack(
        "and cast anew twice",
        [vote("rita"), acting("rita"), withdrawn(), vote("rita"), vote("rita")],
        "one_vote_per_person",
    ),
]


@each(WITHDRAWALS)
def test_no_vote_is_withdrawn(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


def test_a_vote_that_was_withdrawn_may_be_cast_anew_and_counts_once(names: Names) -> None:
    said = "1000-01-01"
    with transaction.atomic():
        run(names, vote("rita", "filing_review"))
        run(names, acting("rita"))
        run(names, withdrawn(f"'{said}'", on="filing_review"))
        run(names, vote("rita", "filing_review"))
        run(names, vote("omar", "filing_review"))
        run(names, f"{APPROVE} %(filing_review)s")
        assert run(names, f"SELECT FROM agent_review_votes WHERE withdrawn_at = '{said}'") == []
        transaction.set_rollback(True)

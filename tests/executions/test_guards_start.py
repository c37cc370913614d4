"""No gated call starts but under its own approval, whoever asks (I5, I9).

Every statement runs as the application's role. Nothing of Python's own care is in the way here.
"""

from __future__ import annotations

import pytest

from tests.executions.scene import Attack, Names, assert_refused, each, run

pytestmark = pytest.mark.django_db

ANYHOW = "status = 'running', started_at = clock_timestamp(), idempotency_key = 'key'"
START = f"UPDATE agent_tool_calls SET {ANYHOW}"


def insert(
    *, status: str = "'running'", gated: str = "false", review: str = "NULL", effect: str = "'once'"
) -> str:
    return (
        "INSERT INTO agent_tool_calls (execution_id, step_number, call_index, tool_name,"
        " tool_input, effect, status, started_at, idempotency_key, gated, review_id)"
        f" VALUES (%(execution)s, 1, 99, 'send_email', '{{}}', {effect}, {status},"
        f" clock_timestamp(), 'key', {gated}, {review})"
    )


STARTS = [
    Attack(
        "start a gated call without a review",
        f"{START} WHERE id = %(naked)s",
        "starts only under an approved review",
    ),
    Attack(
        "start it with an open review",
        f"{START} WHERE id = %(opened)s",
        "its review is open, not approved",
    ),
    Attack(
        "start it while it waits for people",
        f"{START} WHERE id = %(asked)s",
        "no way from awaiting_review to running",
    ),
    Attack(
        "call it approved while its review is open",
        "UPDATE agent_tool_calls SET status = 'approved' WHERE id = %(asked)s",
        "it cannot be approved, its review is open",
    ),
    Attack(
        "start under a review of other arguments",
        [
            "INSERT INTO agent_reviews (id, call_id, execution_id, tool_name, input_digest,"
            " version, edited_by) SELECT '0e0e0e0e-0000-4000-8000-000000000000', id, execution_id,"
            " tool_name, 'other', 2, %(omar)s FROM agent_tool_calls WHERE id = %(naked)s",
            "INSERT INTO agent_review_votes (review_id, voter_id, vote, input_digest)"
            " VALUES ('0e0e0e0e-0000-4000-8000-000000000000', %(rita)s, 'approve', 'other')",
            "UPDATE agent_reviews SET status = 'approved'"
            " WHERE id = '0e0e0e0e-0000-4000-8000-000000000000'",
            f"{START}, review_id = '0e0e0e0e-0000-4000-8000-000000000000' WHERE id = %(naked)s",
        ],
        "its review is of another call or of other arguments",
    ),
    Attack(
        "start under the approval of another call with equal arguments",
        [
            "UPDATE agent_tool_calls SET review_id = NULL WHERE id = %(approved)s",
            f"{START}, review_id = %(approved_review)s WHERE id = %(naked)s",
        ],
        "its review is of another call or of other arguments",
    ),
    Attack(
        "start under an approval of another execution",
        [
            "UPDATE agent_tool_calls SET review_id = NULL WHERE id = %(foreign)s",
            f"{START}, review_id = %(foreign_review)s WHERE id = %(naked)s",
        ],
        "its review is of another call or of other arguments",
    ),
    Attack(
        "start a second call on a review that is used already",
        f"{START}, review_id = %(started_review)s WHERE id = %(naked)s",
        "its review is of another call|agent_tool_calls_review_id_key",
    ),
    Attack(
        "use a review for a second call at all",
        "UPDATE agent_tool_calls SET review_id = %(approved_review)s WHERE id = %(naked)s",
        "agent_tool_calls_review_id_key",
    ),
    Attack(
        "start again what is done",
        f"{START} WHERE id = %(done)s",
        "no way from succeeded to running",
    ),
    Attack(
        "start after the approval expired",
        f"{START} WHERE id = %(expiring)s",
        "its approval expired at",
    ),
    Attack(
        "start while the approval can still be taken back",
        f"{START} WHERE id = %(undoable)s",
        "can still be taken back until",
    ),
    Attack(
        "start after a cancel",
        f"{START} WHERE id = %(late)s",
        "is being cancelled and may start nothing",
    ),
    Attack(
        "start while the execution waits for people",
        f"{START} WHERE id = %(early)s",
        "is awaiting_review and may start nothing",
    ),
    Attack(
        "start after a voter was switched off",
        [
            "UPDATE accounts_user SET is_active = false WHERE id = %(rita)s",
            f"{START} WHERE id = %(approved)s",
        ],
        "of its 1 votes only 0 still count",
    ),
    Attack(
        "swap the target's version for the one it has now",
        f"{START}, target_version = '4' WHERE id = %(targeted)s",
        "approved for another version of its target",
    ),
    Attack(
        "start by setting started_at alone",
        "UPDATE agent_tool_calls SET started_at = now(), idempotency_key = 'k'"
        " WHERE id = %(opened)s",
        "its review is open, not approved",
    ),
    Attack(
        "start a change without its idempotency key",
        "UPDATE agent_tool_calls SET status = 'running', started_at = now() WHERE id = %(plain)s",
        "started_change_has_key",
    ),
    Attack(
        "run a call without saying when it started",
        "UPDATE agent_tool_calls SET status = 'running', idempotency_key = 'k'"
        " WHERE id = %(plain)s",
        "started_calls_say_when",
    ),
]

INSERTS = [
    Attack(
        "insert send_email ungated and running",
        insert(),
        "starts only under an approved review",
    ),
    Attack(
        "insert it as a read, which needs no start",
        insert(effect="'read'"),
        "send_email is always gated: it changes something and is no read",
    ),
    Attack(
        "insert it as done already",
        insert(status="'succeeded'"),
        "starts only under an approved review",
    ),
    Attack(
        "insert it as in doubt",
        insert(status="'in_doubt'", gated="true"),
        "starts only under an approved review",
    ),
    Attack(
        "insert it under somebody else's approval",
        insert(gated="true", review="%(foreign_review)s"),
        "its review is of another call",
    ),
    Attack(
        "insert it over an approved call by ON CONFLICT",
        insert(status="'pending'").replace("clock_timestamp()", "NULL").replace(", 99,", ", 1,")
        + " ON CONFLICT (execution_id, step_number, call_index)"
        ' DO UPDATE SET tool_input = \'{"to": "mallory"}\'',
        "arguments change only with a new review|frozen|final",
    ),
    Attack(
        "insert a call with a made-up digest",
        "INSERT INTO agent_tool_calls (execution_id, step_number, tool_name, tool_input,"
        " input_digest) VALUES (%(execution)s, 2, 'send_email', '{}', 'made up')",
        'cannot insert a non-DEFAULT value into column "input_digest"',
    ),
]

TRICKS = [
    Attack(
        "defer the foreign key and start under an open review",
        ["SET CONSTRAINTS ALL DEFERRED", f"{START} WHERE id = %(opened)s"],
        "its review is open, not approved",
    ),
    Attack(
        "defer the foreign key and void the approval after the start",
        [
            "SET CONSTRAINTS ALL DEFERRED",
            f"{START} WHERE id = %(approved)s",
            "UPDATE agent_reviews SET status = 'void' WHERE id = %(approved_review)s",
            "SET CONSTRAINTS ALL IMMEDIATE",
        ],
        "started_under_its_approved_review",
    ),
    Attack(
        "void an approval that is in use",
        "UPDATE agent_reviews SET status = 'void' WHERE id = %(started_review)s",
        "started_under_its_approved_review",
    ),
    Attack(
        "hide the list of gated tools behind a temporary table",
        [
            "CREATE TEMPORARY TABLE agent_gated_tools (tool_name text, least_votes int)",
            insert(),
        ],
        "starts only under an approved review",
    ),
    Attack(
        "hide the reviews behind a temporary table",
        [
            "CREATE TEMPORARY TABLE agent_reviews AS SELECT * FROM agent_reviews",
            "UPDATE pg_temp.agent_reviews SET status = 'approved'",
            f"{START} WHERE id = %(opened)s",
        ],
        "its review is open, not approved",
    ),
    Attack(
        "switch the triggers off as replication does",
        "SET session_replication_role = replica",
        "permission denied",
    ),
]


@each(STARTS)
def test_nobody_can(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


@each(INSERTS)
def test_nobody_can_insert(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


@each(TRICKS)
def test_no_trick_helps_to(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


def test_what_people_approved_does_start(names: Names) -> None:
    """Without this, a guard that refuses everything would pass all tests above."""
    for name in ("approved", "targeted"):
        run(names, f"{START} || '{name}' WHERE id = %({name})s")


def test_a_call_of_an_always_gated_tool_is_gated_however_it_is_inserted(names: Names) -> None:
    run(names, insert(status="'pending'").replace("clock_timestamp()", "NULL"))
    assert run(names, "SELECT gated FROM agent_tool_calls WHERE call_index = 99") == [(True,)]

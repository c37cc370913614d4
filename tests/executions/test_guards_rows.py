"""Executions and calls move one way, and what they are about is frozen (I3, I4, I7)."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection

from tests.executions.scene import Attack, Names, assert_refused, each, run

pytestmark = pytest.mark.django_db


def call(columns: str, which: str = "asked") -> str:
    return f"UPDATE agent_tool_calls SET {columns} WHERE id = %({which})s"


def execution(columns: str, which: str = "execution") -> str:
    return f"UPDATE agent_executions SET {columns} WHERE id = %({which})s"


FROZEN = "place, tool, effect, gate and proposed arguments are frozen"
REVIEWED = "arguments change only with a new review of them"
UNSETTLED = "it is in doubt, and nobody settled it"

CALLS = [
    Attack("change arguments", call('tool_input = \'{"to": ["mallory"]}\''), REVIEWED),
    Attack("change them after the approval", call("tool_input = '{}'", "approved"), REVIEWED),
    Attack(
        "change them under an open review of the old ones",
        call("tool_input = '{}', review_id = %(opened_review)s"),
        REVIEWED,
    ),
    Attack(
        "make it one effect with another call",
        call(
            "idempotency_key = (SELECT idempotency_key FROM agent_tool_calls"
            " WHERE id = %(started)s)",
            "plain",
        ),
        "one_row_per_key",
    ),
    Attack("change what the LLM asked for", call("proposed_input = '{}'"), FROZEN),
    Attack("change the tool", call("tool_name = 'note'"), FROZEN),
    Attack("change the effect", call("effect = 'read'"), FROZEN),
    Attack("open the gate", call("gated = false"), FROZEN),
    Attack("move it to another execution", call("execution_id = %(other_execution)s"), FROZEN),
    Attack("move it to another step", call("step_number = 2"), FROZEN),
    Attack("move it in its step", call("call_index = 77"), FROZEN),
    Attack("change the id the LLM knows it by", call("provider_call_id = 'x'"), FROZEN),
    Attack("take another identity", call("id = gen_random_uuid()", "plain"), FROZEN),
    Attack("change the digest", call("input_digest = 'x'"), "can only be updated to DEFAULT"),
    Attack("change what the key compares", call("review_status = NULL"), "only be updated to"),
    Attack(
        "change its idempotency key",
        call("idempotency_key = 'fresh'", "started"),
        "its start, its key and what it started under are frozen",
    ),
    Attack(
        "forget its start",
        call("started_at = NULL", "started"),
        "its start, its key and what it started under are frozen",
    ),
    Attack(
        "say it started under another review",
        call("review_id = NULL", "started"),
        "its start, its key and what it started under are frozen",
    ),
    Attack("revive what succeeded", call("status = 'pending'", "done"), "no way from succeeded"),
    Attack(
        "rewrite what came of it",
        call("tool_output = '{\"sent\": false}'", "done"),
        "it is succeeded and final",
    ),
    Attack("approve it for nobody", call("status = 'approved'"), "its review is open"),
    Attack("reject it for nobody", call("status = 'rejected'"), "its review is open"),
    Attack("let it expire early", call("status = 'expired'"), "its review is open"),
    Attack(
        "ask again without a new review",
        call("status = 'awaiting_review'", "approved"),
        "its review is approved",
    ),
    Attack("skip the start", call("status = 'succeeded'", "approved"), "no way from approved"),
]

DOUBTS = [
    Attack(
        "run it again under the old approval", call("status = 'approved'", "doubted"), UNSETTLED
    ),
    Attack(
        "run it again under its open doubt",
        call("status = 'approved', review_id = %(doubt)s", "doubted"),
        UNSETTLED + "|started_under_its_approved_review",
    ),
    Attack("run it again at once", call("status = 'running'", "doubted"), "no way from in_doubt"),
    Attack("say it happened for nobody", call("status = 'succeeded'", "doubted"), UNSETTLED),
    Attack("drop it for nobody", call("status = 'cancelled'", "doubted"), UNSETTLED),
    Attack(
        "drop it when people said it happened",
        [
            "INSERT INTO agent_review_votes (review_id, voter_id, vote, input_digest)"
            " SELECT id, %(rita)s, 'happened', input_digest FROM agent_reviews"
            " WHERE id = %(doubt)s",
            call("status = 'cancelled'", "doubted"),
        ],
        UNSETTLED,
    ),
]

EXECUTIONS = [
    Attack("revive an ended one", execution("status = 'pending'", "ended_execution"), "no way"),
    Attack(
        "fail it afterwards",
        execution("status = 'failed', stop_reason = 'X'", "ended_execution"),
        "no way from completed to failed",
    ),
    Attack(
        "rewrite its result",
        execution("result = '{}'", "ended_execution"),
        "it is completed and final",
    ),
    Attack(
        "move its end",
        execution("completed_at = now() - interval '1 day'", "ended_execution"),
        "it is completed and final",
    ),
    Attack(
        "make it cheaper afterwards",
        execution("cost_usd = 0.01, active_ms = 1", "ended_execution"),
        "it is completed and final",
    ),
    Attack("go up two steps", execution("step_count = 3"), "steps rise one by one"),
    Attack("go back a step", execution("step_count = 0"), "steps rise one by one"),
    Attack("turn the lease token back", execution("lease_token = 0"), "never fall"),
    Attack("take tokens back", execution("token_count = -1"), "never fall"),
    Attack(
        "take the lease without a new token",
        execution("lease_owner = gen_random_uuid()"),
        "who takes it raises its lease token",
    ),
    Attack("run without a lease", execution("lease_owner = NULL"), "lease_only_while_running"),
    Attack(
        "take a cancel back",
        execution("cancel_requested_at = NULL", "cancelled_execution"),
        "a cancel is never taken back",
    ),
    Attack("swap the launcher", execution("launched_by = %(rita)s"), "launcher and input are"),
    Attack("forget the launcher", execution("launched_by = NULL"), "launcher and input are"),
    Attack("swap the user", execution("user_id = %(rita)s"), "launcher and input are frozen"),
    Attack("swap the agent", execution("agent_type = 'other'"), "launcher and input are frozen"),
    Attack("swap the input", execution("input_data = '{}'::jsonb || '{\"a\": 1}'"), "are frozen"),
    Attack("take another key", execution("idempotency_key = 'x'"), "are frozen"),
    Attack(
        "raise the limits",
        execution("limits = '{\"max_steps\": 1000}'", "ended_execution"),
        "its definition and limits are those of its launch",
    ),
    Attack(
        "swap the definition",
        execution("definition_id = NULL", "ended_execution"),
        "its definition and limits are those of its launch",
    ),
    Attack("invent a status", execution("status = 'paused'"), "no way from running to paused"),
    Attack(
        "fail without saying why",
        execution("status = 'failed', lease_owner = NULL, completed_at = now()"),
        "unfinished_says_why",
    ),
    Attack(
        "end without an end",
        execution("status = 'completed', lease_owner = NULL"),
        "final_has_completed_at",
    ),
]


@each(CALLS)
def test_nobody_can_change_a_call(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


@each(DOUBTS)
def test_nobody_can_settle_a_doubt_alone(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


@each(EXECUTIONS)
def test_nobody_can_change_an_execution(names: Names, attack: Attack) -> None:
    assert_refused(names, attack)


def test_an_edit_comes_with_a_new_review_by_its_editor(names: Names) -> None:
    run(names, "UPDATE agent_reviews SET status = 'void' WHERE id = %(asked_review)s")
    run(
        names,
        "INSERT INTO agent_reviews (id, call_id, execution_id, tool_name, input_digest, version,"
        " edited_by) SELECT '0e0e0e0e-0000-4000-8000-000000000000', id, execution_id, tool_name,"
        ' agentops_digest(\'{"to": ["dora"]}\'), 2, %(omar)s FROM agent_tool_calls'
        " WHERE id = %(asked)s",
    )
    new = "tool_input = '{\"to\": [\"dora\"]}', review_id = '0e0e0e0e-0000-4000-8000-000000000000'"
    run(names, call(new))


def test_updated_at_is_kept_whoever_writes(names: Names) -> None:
    moved = run(
        names,
        "UPDATE agent_executions SET updated_at = '2000-01-01', priority = 1"
        " WHERE id = %(execution)s RETURNING updated_at > now() - interval '1 hour'",
    )
    assert moved == [(True,)]


def test_copy_is_guarded_too(names: Names) -> None:
    with pytest.raises(IntegrityError, match="starts only under an approved review"):
        copy_in(f"{names['execution']}\t1\t55\tsend_email\t{{}}\t2026-01-01\trunning\n")


def copy_in(line: str) -> None:
    columns = "execution_id, step_number, call_index, tool_name, tool_input, started_at, status"
    with connection.cursor() as cursor, connection.wrap_database_errors:
        assert cursor.cursor is not None
        with cursor.cursor.copy(f"COPY agent_tool_calls ({columns}) FROM STDIN") as copy:
            copy.write(line)

"""`check_invariants`: what it prints, how it exits, what it compares with the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import connection

from tests import factories
from tests.executions import stories
from tests.executions.shell import Ran, run
from tests.executions.stories import Everything, plant

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> Everything:
    return stories.everything()


def check(*arguments: str) -> Ran:
    return run("check_invariants", *arguments)


def test_a_line_for_each_promise_and_status_0_when_all_are_kept(rows: Everything) -> None:
    ran = check()
    assert ran.status == 0
    assert ran.err == ""
    lines = ran.out.splitlines()
    assert [line.split()[0] for line in lines] == [f"I{number}" for number in range(1, 17)]
    assert all(" ok " in line for line in lines)
    assert "5 gated calls that started" not in ran.out
    assert "2 gated calls that started" in ran.out


def test_what_breaks_a_promise_is_named_and_the_status_is_1(rows: Everything) -> None:
    for number in range(7):
        one = factories.execution(input_data={"number": number})
        plant("UPDATE agent_executions SET open_reviews = 1 WHERE id = %(id)s", {"id": one.pk})
    ran = check()
    assert ran.status == 1
    assert ran.err == "1 invariant broken.\n"
    assert "I14  counts agree                     7 violations" in ran.out
    assert f"execution {one.pk}: it counts 1 open reviews, and has 0" in ran.out or (
        "… and 2 more" in ran.out
    )
    assert ran.out.count("it counts 1 open reviews, and has 0") == 5


def test_quietly_it_tells_only_what_is_broken(rows: Everything) -> None:
    assert check("--verbosity", "0").out == ""
    plant("UPDATE agent_executions SET open_reviews = 3 WHERE status = 'pending'", {})
    assert check("--verbosity", "0").out.startswith("I14 ")


def test_as_json_an_object_for_each_promise(rows: Everything) -> None:
    told = [
        json.loads(line)
        for line in check("--json", "--only", "I5", "--only", "I6").out.split("\n")[:-1]
    ]
    assert [one["name"] for one in told] == ["I5", "I6"]
    assert told[0]["rows"] == 2
    assert told[0]["violations"] == 0


def test_a_check_that_cannot_be_made_counts_as_broken_and_stops_no_other(
    rows: Everything,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE agent_controls")
    ran = check()
    assert ran.status == 1
    assert 'the check: it could not be made: relation "agent_controls" does not exist' in ran.out
    assert "I16  content cannot break storage     ok" in ran.out


def test_with_hours_it_looks_at_what_is_unfinished_or_ended_since(rows: Everything) -> None:
    assert "6 executions " in check("--hours", "1").out
    plant(
        "UPDATE agent_executions SET completed_at = completed_at - interval '2 hours',"
        " token_count = 1 WHERE id = %(id)s",
        {"id": rows.completed.pk},
    )
    recent = check("--hours", "1")
    assert recent.status == 0
    assert "5 executions " in recent.out
    assert check().status == 1


def test_the_grace_decides_what_is_late(rows: Everything) -> None:
    assert check("--only", "I1").status == 0
    plant("UPDATE agent_executions SET updated_at = now() - interval '30 s'", {})
    assert check("--only", "I1").status == 0
    assert "runners have room" in check("--only", "I1", "--grace", "20").out


# ---------------------------------------------------------------------- what the outside saw


def ledger(tmp_path: Path, *keys: str | None, name: str = "key") -> str:
    file = tmp_path / "ledger.jsonl"
    file.write_text("".join(json.dumps({name: key}) + "\n\n" for key in keys))
    return str(file)


def test_a_ledger_with_each_effect_once_agrees(rows: Everything, tmp_path: Path) -> None:
    key = rows.call("submit_to_regulator").idempotency_key
    for name in ("key", "idempotency_key"):
        file = ledger(tmp_path, key, name=name)
        assert check("--only", "I6", "--ledger", f"submit_to_regulator={file}").status == 0
        assert check("--only", "I6", "--ledger", file).status == 0


def test_an_effect_seen_twice_or_never_or_without_a_call_is_named(
    rows: Everything, tmp_path: Path
) -> None:
    call = rows.call("submit_to_regulator")
    twice = ledger(tmp_path, call.idempotency_key, call.idempotency_key)
    ran = check("--only", "I6", "--ledger", f"submit_to_regulator={twice}")
    assert f"key {call.idempotency_key}: the outside saw it 2 times" in ran.out
    never = ledger(tmp_path, "somebody else's")
    ran = check("--only", "I6", "--ledger", f"submit_to_regulator={never}")
    assert f"call {call.pk}: it succeeded, but the outside never saw it" in ran.out
    assert "key somebody else's: the outside saw it, but no call has started with it" in ran.out
    assert ran.status == 1


def test_a_call_in_doubt_may_or_may_not_have_been_seen(rows: Everything, tmp_path: Path) -> None:
    doubted = rows.call("send_email", "doubtful").idempotency_key
    for keys in ([], [doubted]):
        file = ledger(tmp_path, *keys)
        assert check("--only", "I6", "--ledger", f"send_email={file}").status == 0


def test_a_ledger_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    ran = check("--ledger", str(tmp_path / "none"))
    assert (ran.status, "cannot be read" in ran.err) == (2, True)
    file = tmp_path / "bad"
    file.write_text('{"key": "a"}\n{"other": 1}\n')
    assert "line 2 of the ledger" in check("--ledger", str(file)).err

"""`launch_agent`: what it accepts, and how it refuses: what was wrong, what it expected instead."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from agentops.environment import BASE_DIR
from executions import operations
from executions.models import AgentDefinition, AgentExecution
from tests import factories
from tests.executions import stories
from tests.executions.shell import Ran, run

pytestmark = pytest.mark.django_db

STEWARD = "customer_record_steward"
GOOD = '{"message_id": "M-2001"}'


@pytest.fixture(autouse=True)
def _an_llm_key(settings: Any) -> None:
    settings.OPENAI_API_KEY = "sk-not-a-real-one"


def launch(*arguments: str, stdin: bytes | None = None) -> Ran:
    return run("launch_agent", *arguments, stdin=stdin)


def refused(*arguments: str, stdin: bytes | None = None) -> str:
    """Launch, see it refused with nothing stored, and return the sentence."""
    ran = launch(*arguments, stdin=stdin)
    assert ran.status == 2, ran
    assert ran.err.startswith("Refused: ")
    assert ran.out == ""
    assert not AgentExecution.objects.exists()
    assert not AgentDefinition.objects.exists()
    return ran.err


# ---------------------------------------------------------------------- what it accepts


def test_it_launches_on_the_agents_own_sample_as_the_service_user() -> None:
    ran = launch(STEWARD, "--sample")
    execution = AgentExecution.objects.get()
    assert ran.status == 0
    assert ran.out == f"Launched {STEWARD} {execution.pk} for system.\n"
    assert execution.user.username == "system"
    assert execution.input_data == {"message_id": "M-2001"}


def test_it_launches_for_a_person_who_may() -> None:
    factories.person("olga", may=["launch_execution"])
    launch(STEWARD, "--input", GOOD, "--user", "olga")
    assert AgentExecution.objects.get().launched_by.username == "olga"  # type: ignore[union-attr]


@pytest.mark.parametrize("source", ["file", "standard input", "several lines"])
def test_it_reads_input_from(source: str, tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_text(GOOD)
    arguments, stdin = {
        "file": (f"@{file}", None),
        "standard input": ("-", GOOD.encode()),
        "several lines": ("-", b'\xef\xbb\xbf{\n\n  "message_id":\n"M-2001"\n}\n'),
    }[source]
    assert launch(STEWARD, "--input", arguments, stdin=stdin).status == 0
    assert AgentExecution.objects.get().input_data == {"message_id": "M-2001"}


def test_limits_are_put_over_the_agents_own() -> None:
    launch(STEWARD, "--sample", "--limit", "max_steps=3", "--limit", "max_cost_usd = 0.5")
    limits = AgentExecution.objects.get().limits
    assert (limits["max_steps"], limits["max_cost_usd"]) == (3, "0.5")
    assert limits["max_tokens"] == 50_000


def test_an_idempotency_key_launches_once() -> None:
    first = launch(STEWARD, "--sample", "--idempotency-key", "monday", "--json")
    second = launch(STEWARD, "--sample", "--idempotency-key", "monday", "--json")
    assert json.loads(first.out)["is_new"] is True
    assert json.loads(second.out) == {**json.loads(first.out), "is_new": False}
    assert AgentExecution.objects.count() == 1


def test_it_says_when_no_runner_stands() -> None:
    assert "No runner stands" in launch(STEWARD, "--sample").err
    stories.standing_runner()
    assert launch(STEWARD, "--sample").err == ""


# ---------------------------------------------------------------------- what it refuses


def test_it_names_the_nearest_agents() -> None:
    said = refused("customer_record_stewart", "--sample")
    assert "no agent 'customer_record_stewart'; did you mean customer_record_steward?" in said
    assert "Nothing was stored." in said


def test_it_names_the_field_that_fails_the_schema_and_what_was_expected() -> None:
    said = refused(STEWARD, "--input", '{"message_id": "2001"}')
    assert "message_id: String should match pattern" in said
    assert "Expected: message_id (string, the message, like M-2001)." in said
    assert "Nothing was stored." in said


def test_it_names_fields_that_are_missing_or_too_many() -> None:
    said = refused(STEWARD, "--input", '{"massage_id": "M-2001"}')
    assert "message_id: Field required" in said
    assert "massage_id: Extra inputs are not permitted" in said


def test_it_wants_an_object() -> None:
    assert "the input: Input should be a valid dictionary" in refused(STEWARD, "--input", "[1]")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes, line 1, column 2"),
        ('{"message_id": M-2001}', 'not JSON: Expecting value, line 1, column 16, at "M-2001}"'),
        ('{\n\n"message_id": 1\n"b": 2}', "line 4, column 1"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": 1e400}', "the number 1e400 is too large"),
        ('{"a": ' + "9" * 5000 + "}", "not usable JSON"),
        ("[" * 50_000 + "]" * 50_000, "nested too deeply"),
        ("[" * 40 + "]" * 40, "it is nested more than 32 deep"),
        ("", "the input is empty"),
    ],
)
def test_it_says_where_the_input_is_not_json(given: str, said: str) -> None:
    assert said in refused(STEWARD, "--input", given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('{"message_id": "M-2001\\u0000"}', "message_id: character 7 is U+0000, which PostgreSQL"),
        ('{"list": [1, "a\\ud800"]}', "list.1: character 2 is U+D800, which PostgreSQL"),
        ('{"a\\u0000b": 1}', "character 2 is U+0000"),
    ],
)
def test_it_names_the_field_with_a_character_that_cannot_be_kept(given: str, said: str) -> None:
    assert said in refused(STEWARD, "--input", given)


def test_it_refuses_bytes_that_are_not_utf8() -> None:
    assert "not UTF-8: byte 0xff at position 2" in refused(STEWARD, "--input", "-", stdin=b'{"\xff')


def test_it_refuses_ten_megabytes_without_reading_them_all() -> None:
    big = b'{"message_id": "' + b"M" * 10_000_000
    assert "more than 256,000 bytes" in refused(STEWARD, "--input", "-", stdin=big)


def test_it_refuses_a_file_that_cannot_be_read() -> None:
    assert "nowhere.json cannot be read: No such file" in refused(
        STEWARD, "--input", "@nowhere.json"
    )


def test_it_wants_input_and_says_which() -> None:
    said = refused(STEWARD)
    assert "Give --input or --sample. Expected: message_id" in said


def test_it_names_the_nearest_users() -> None:
    factories.person("olga", may=["launch_execution"])
    assert "no user 'Olge'; did you mean olga?" in refused(STEWARD, "--sample", "--user", "Olge")
    assert "no user 'a\\x00'" in refused(STEWARD, "--sample", "--user", "a\0")
    assert "no user '\\udcff'" in refused(STEWARD, "--sample", "--user", "\udcff")


def test_it_refuses_who_may_not_launch_and_names_the_permission() -> None:
    factories.person("sam")
    said = refused(STEWARD, "--sample", "--user", "sam")
    assert f"sam may not launch {STEWARD}; ask for executions.launch_execution." in said


def test_it_refuses_who_may_no_longer_log_in() -> None:
    factories.person("ann", may=["launch_execution"], is_active=False)
    assert "ann may not launch" in refused(STEWARD, "--sample", "--user", "ann")


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("max_step=3", "there is no limit 'max_step'; the limits are max_steps, max_tokens"),
        ("max_steps=many", "limit max_steps is 'many'; expected a whole number"),
        ("max_steps=1.5", "limit max_steps is '1.5'; expected a whole number"),
        ("max_steps=0", "limit max_steps is 0; expected a whole number above 0"),
        ("max_tokens=1e30", "limit max_tokens is"),
        ("max_cost_usd=nan", "limit max_cost_usd is 'nan'; expected an amount"),
        ("max_steps", "--limit max_steps says no value; expected name=value"),
    ],
)
def test_it_refuses_a_limit_that_makes_no_sense(limit: str, said: str) -> None:
    told = refused(STEWARD, "--sample", "--limit", limit)
    assert said in told
    assert "Nothing was stored." in told


def test_it_refuses_a_limit_given_twice() -> None:
    twice = ("--limit", "max_steps=1", "--limit", "max_steps=2")
    assert "max_steps is given twice" in refused(STEWARD, "--sample", *twice)


def test_it_refuses_a_key_that_stands_for_other_input() -> None:
    launch(STEWARD, "--sample", "--idempotency-key", "monday")
    other = ("--input", '{"message_id": "M-2002"}', "--idempotency-key", "monday")
    ran = launch(STEWARD, *other)
    assert ran.status == 2
    assert "'monday' launched execution" in ran.err
    assert AgentExecution.objects.count() == 1


def test_without_an_llm_key_it_refuses_because_nothing_could_run(settings: Any) -> None:
    settings.OPENAI_API_KEY = ""
    said = refused(STEWARD, "--sample")
    assert "OPENAI_API_KEY is not set here and no runner stands" in said
    assert "--anyway launches all the same. Nothing was stored." in said


def test_without_a_key_of_its_own_it_launches_where_a_runner_stands_or_when_told(
    settings: Any,
) -> None:
    settings.OPENAI_API_KEY = ""
    assert launch(STEWARD, "--sample", "--anyway").status == 0
    stories.standing_runner()
    assert launch(STEWARD, "--sample").status == 0


def test_what_others_wrote_cannot_move_the_cursor() -> None:
    said = refused(STEWARD, "--input", '{"message_id": "M-2001", "\\u001b[31mred\\u202e": 1}')
    assert "\\u001b[31mred\\u202e: Extra inputs" in said
    assert "\x1b" not in said


# ---------------------------------------------------------------------- when the database is away


def test_a_database_that_is_down_is_one_sentence_and_nothing_was_stored() -> None:
    env = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}
    command = [sys.executable, "manage.py", "launch_agent", STEWARD, "--sample"]
    ran = subprocess.run(
        command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 5
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("NoDatabase: the database does not answer: connection failed")
    assert ran.stderr.endswith("Nothing was stored.\n")


def test_a_database_that_goes_away_during_the_launch_leaves_no_doubt_about_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def goes_away(**_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly\n\tdetails")

    monkeypatch.setattr(operations, "launch", goes_away)
    ran = launch(STEWARD, "--sample")
    assert ran.status == 5
    assert "went away during the launch: server closed the connection unexpectedly." in ran.err
    assert "the same --idempotency-key never launches twice" in ran.err


def test_a_database_without_tables_says_so() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE agent_runners")
    ran = launch(STEWARD, "--sample")
    assert ran.status == 5
    assert "the database has no tables yet: run manage.py migrate. Nothing was stored." in ran.err

"""The fixtures other tests stand on do what they promise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, connection

from agentops.accounts.models import User
from executions.models import AgentGatedTool
from tests.support import database
from tests.support.processes import ChildProcess

COUNT_USERS = (
    "import django; django.setup();"
    "from agentops.accounts.models import User; print('users:', User.objects.count())"
)
APPEND_ONLY_TABLE = """
    CREATE TABLE wipe_me (id int);
    INSERT INTO wipe_me VALUES (1);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'append only'; END $$;
    CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON wipe_me EXECUTE FUNCTION refuse();
"""


@pytest.mark.django_db
def test_tests_work_as_the_application_and_not_as_a_superuser() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)


@pytest.mark.parametrize("few", [0, database.FEW_ROWS], ids=["truncated", "deleted"])
def test_wiping_empties_even_append_only_tables(
    committed_db: None, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(database, "FEW_ROWS", few)
    User.objects.create(username="committed")
    with connection.cursor() as cursor:
        cursor.execute(APPEND_ONLY_TABLE)
        try:
            database.wipe()
            cursor.execute("SELECT count(*) FROM wipe_me")
            assert cursor.fetchone() == (0,)
            for statement in (
                "TRUNCATE wipe_me",
                "INSERT INTO wipe_me VALUES (1); DELETE FROM wipe_me",
            ):
                with pytest.raises(DatabaseError, match="append only"):
                    cursor.execute(statement)
        finally:
            cursor.execute("DROP TABLE wipe_me; DROP FUNCTION refuse")


def test_wiping_keeps_what_migrations_filled(committed_db: None) -> None:
    User.objects.create(username="committed")
    database.wipe()
    assert list(User.objects.values_list("username", flat=True)) == ["system"]
    assert AgentGatedTool.objects.exists()
    assert Permission.objects.exists()


@pytest.mark.processes
def test_a_real_process_sees_what_the_test_committed(
    committed_db: None, start_process: Callable[..., ChildProcess]
) -> None:
    User.objects.create(username="committed")
    child = start_process("-c", COUNT_USERS)
    assert child.wait(within_s=30) == 0, child.log()
    assert "users: 2" in child.log()


def test_the_next_test_finds_none_of_it(committed_db: None) -> None:
    assert User.objects.count() == 1

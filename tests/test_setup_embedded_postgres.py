"""The embedded server, with real servers and real kill -9."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from agentops.embedded_postgres import THROW_AWAY, EmbeddedPostgres, EmbeddedPostgresError
from agentops.environment import BASE_DIR, LOCAL_DIR
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("embedded_postgres")]

HOLD = (
    "import sys; from pathlib import Path;"
    "from agentops.embedded_postgres import THROW_AWAY, EmbeddedPostgres;"
    "server = EmbeddedPostgres(base=Path(sys.argv[1]), parameters=THROW_AWAY);"
    "server.acquire(); print('holds', flush=True); sys.stdin.read(); server.release()"
)


class Holder:
    """Another process that holds the server until it is told to let go."""

    def __init__(self, base: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(base)],
            cwd=BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def holds(self) -> bool:
        assert self.process.stdout
        return self.process.stdout.readline() == "holds\n"

    def let_go(self) -> None:
        self.process.communicate(timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    folder = LOCAL_DIR / f"pg-under-test-{os.getpid()}"
    yield folder
    server = EmbeddedPostgres(base=folder)
    remove(server)


@pytest.fixture
def server(base: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(base=base, parameters=THROW_AWAY)
    yield server
    server.release()
    wait_until(lambda: not server.answers(), what="nobody to hold it any more")


def ask(server: EmbeddedPostgres, question: str) -> object:
    where = {"host": str(server.socket_folder), "user": "agentops", "dbname": "agentops"}
    with psycopg.connect(**where) as connection:
        row = connection.execute(question).fetchone()
        return row and row[0]


def remove(server: EmbeddedPostgres) -> None:
    """Remove its folders, once it and its guard are gone."""
    wait_until(lambda: not server.processes(), what="the server's end")
    for folder in (server.base, server.socket_folder):

        def gone(folder: Path = folder) -> bool:
            shutil.rmtree(folder, ignore_errors=True)
            return not folder.exists()

        wait_until(gone, what=f"the removal of {folder}")


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split("\n")[0])


def test_the_application_is_no_superuser_and_owns_its_database(server: EmbeddedPostgres) -> None:
    server.acquire()
    assert ask(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert ask(server, "SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user") is True
    owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
    assert ask(server, owner) == "agentops"


def test_it_listens_on_a_socket_only_its_owner_reaches(server: EmbeddedPostgres) -> None:
    server.acquire()
    assert ask(server, "SELECT current_setting('listen_addresses')") == ""
    assert server.socket_folder.stat().st_mode & 0o077 == 0


def test_it_has_room_for_every_process(server: EmbeddedPostgres) -> None:
    server.acquire()
    assert ask(server, "SELECT current_setting('max_connections')") == "300"


def test_it_compares_letters_beyond_ascii(server: EmbeddedPostgres) -> None:
    server.acquire()
    assert ask(server, "SELECT 'ÖSTERREICH' ILIKE 'österreich'") is True


def test_the_last_holder_stops_it(server: EmbeddedPostgres, base: Path) -> None:
    server.acquire()
    other = Holder(base)
    assert other.holds()
    server.release()
    assert server.answers()
    other.let_go()
    assert not server.answers()


def test_five_that_start_at_once_share_one_server(server: EmbeddedPostgres, base: Path) -> None:
    holders = [Holder(base) for _ in range(5)]
    assert all(holder.holds() for holder in holders)
    first = postmaster(server)
    server.acquire()
    assert postmaster(server) == first
    for holder in holders:
        holder.let_go()
    assert server.answers()


def test_a_holder_that_is_killed_leaves_no_server_behind(
    server: EmbeddedPostgres, base: Path
) -> None:
    holder = Holder(base)
    assert holder.holds()
    holder.kill()
    wait_until(lambda: not server.processes(), what="the guard to stop the server")
    assert not (server.data / "postmaster.pid").exists()


def test_a_killed_holder_takes_nothing_from_the_others(
    server: EmbeddedPostgres, base: Path
) -> None:
    holder = Holder(base)
    assert holder.holds()
    server.acquire()
    holder.kill()
    assert ask(server, "SELECT 1") == 1


def test_it_starts_again_at_once_after_postgres_was_killed(server: EmbeddedPostgres) -> None:
    server.acquire()
    os.kill(postmaster(server), signal.SIGKILL)
    wait_until(lambda: not server.answers(), what="the death of postgres")
    again = EmbeddedPostgres(base=server.base, parameters=THROW_AWAY)
    again.acquire()
    assert ask(again, "SELECT 1") == 1
    again.release()


def test_a_strangers_process_id_in_its_files_does_not_stop_it(server: EmbeddedPostgres) -> None:
    server.acquire()
    server.release()
    stale = server.data / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{server.data}\n1\n5432\n{server.socket_folder}\n\n\n")
    server.acquire()
    assert ask(server, "SELECT 1") == 1


def test_it_names_both_versions_when_the_data_is_of_another(server: EmbeddedPostgres) -> None:
    server.acquire()
    server.release()
    version = server.data / "PG_VERSION"
    right = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 9, but .* is version"):
            server.acquire()
    finally:
        version.write_text(right)


def test_it_says_what_to_do_where_there_is_no_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTOPS_PG_BIN", str(tmp_path))
    server = EmbeddedPostgres(base=tmp_path / "pg")
    with pytest.raises(EmbeddedPostgresError, match="set DATABASE_URL"):
        server.acquire()
    remove(server)


def test_a_private_folder_stays_private(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = EmbeddedPostgres(base=private / "pg", parameters=THROW_AWAY)
    try:
        with server:
            assert ask(server, "SELECT 1") == 1
        assert private.stat().st_mode & 0o777 == 0o700
    finally:
        remove(server)

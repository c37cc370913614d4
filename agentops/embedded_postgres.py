"""A PostgreSQL of the project's own, for development and tests on machines without a server.

It listens on a socket inside the project only. Any number of processes hold it at once:

    with EmbeddedPostgres(base=Path(".local/pg")) as server:
        connect(host=server.socket_folder, user="agentops", dbname="agentops")

A holder has a shared lock on `<base>/.held`, which the kernel drops however the holder ends. The
last holder stops the server; a guard process does it for holders that were killed.
`<base>/.changing` serialises start and stop. As root the server runs as `postgres` or `nobody`;
no user is made, and no mode of an existing folder is changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg
from psycopg import sql

from agentops import postgres_programs
from agentops.postgres_programs import EmbeddedPostgresError

ADMIN_ROLE = "postgres_admin"
APPLICATION_ROLE = "agentops"
DATABASE = "agentops"

PARAMETERS = {"max_connections": "300"}
THROW_AWAY = PARAMETERS | {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}
"""For tests: a crash of the machine may lose everything, one of the server the last commits."""

_LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 bytes on Linux, 103 on macOS
_STALE_AFTER_S = 30


class EmbeddedPostgres:
    """One server in the folder `base`. `acquire` and `release`, or use it as a context manager."""

    def __init__(self, *, base: Path, parameters: Mapping[str, str] = PARAMETERS) -> None:
        self._parameters = dict(parameters)
        self._run_as = _somebody_else() if os.geteuid() == 0 else None
        self._tag = hashlib.sha256(str(base.resolve()).encode()).hexdigest()[:10]
        self._elsewhere = Path("/var/tmp") / f"agentops-{os.geteuid()}-{self._tag}"  # noqa: S108
        self.base = self._usable_base(base.resolve())
        self.data = self.base / "data"
        self.socket_folder = self.base / "run"
        if len(str(self.socket_folder / ".s.PGSQL.5432")) > _LONGEST_SOCKET_PATH:
            self.socket_folder = Path(tempfile.gettempdir()) / self._elsewhere.name
        self._held: IO[str] | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def acquire(self) -> None:
        """Hold the server; make it, start it if need be. Raises `EmbeddedPostgresError`."""
        if self._held:
            return
        with self._changing(), contextlib.ExitStack() as on_failure:
            held = on_failure.enter_context((self.base / ".held").open("a+"))
            fcntl.flock(held, fcntl.LOCK_SH)
            self._make_data_folder()
            if not self.answers():
                self._clear_remains()
            if not self.answers():
                self._start()
            self._make_role_and_database()
            self._held = held
            on_failure.pop_all()

    def release(self) -> None:
        """Let go; the last one to let go stops the server."""
        if not self._held:
            return
        with self._changing():
            self._stop_unless_held(self._held)
            self._held.close()
            self._held = None

    def answers(self) -> bool:
        try:
            self.connect_as_admin().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect_as_admin(self, *, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.socket_folder),
            user=ADMIN_ROLE,
            dbname=database,
            autocommit=True,
            connect_timeout=3,
        )

    def stop_when_nobody_holds_it(self) -> None:
        """The guard's whole life: wait until the last holder is gone, then stop the server."""
        with (self.base / ".held").open("a+") as held:
            while True:
                fcntl.flock(held, fcntl.LOCK_EX)
                fcntl.flock(held, fcntl.LOCK_UN)  # the other lock comes first everywhere
                with self._changing():
                    if self._stop_unless_held(held):
                        return

    def _stop_unless_held(self, held: IO[str]) -> bool:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-m", "fast", "-w", "-t", "60", "-D", self.data)
        return True

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with (self.base / ".changing").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _run(
        self, program: str, *arguments: str | Path, output: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        return self.programs.run(program, *arguments, user=self._run_as, output=output)

    def _make_data_folder(self) -> None:
        for folder in (self.data, self.socket_folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._run_as and folder.stat().st_uid != self._run_as.pw_uid:
                os.chown(folder, self._run_as.pw_uid, self._run_as.pw_gid)
        made_by, major = self.data / "PG_VERSION", self.programs.major(user=self._run_as)
        if not made_by.exists():
            self._initialise(major)
        if (old := made_by.read_text().strip()) != str(major):
            raise EmbeddedPostgresError(
                f"{self.data} was made by PostgreSQL {old}, but {self.programs.folder} is version "
                f"{major}. Set AGENTOPS_PG_BIN to the older programs, or move that folder away to "
                "begin anew."
            )

    def _initialise(self, major: int) -> None:
        # Plain "C" would break lower() and ILIKE beyond ASCII; "builtin" needs no locale installed.
        locale = ["--locale=C.UTF-8"]
        if major >= 17:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        who = ["-U", ADMIN_ROLE, "--auth=trust", "--encoding=UTF8", "--no-instructions"]
        made = self._run("initdb", "-D", self.data, *who, *locale)
        if made.returncode:
            raise EmbeddedPostgresError(f"initdb failed in {self.data}:\n{made.stdout}")

    def _start(self) -> None:
        parameters = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
            "cluster_name": self._cluster_name,
            **self._parameters,
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in parameters.items())
        log = self.data / "server.log"
        how: list[str | Path] = ["-w", "-t", "60", "-D", self.data, "-l", log, "-o", options]
        # The server inherits these files: with a pipe we would wait for its end.
        if self._run("pg_ctl", "start", *how, output=subprocess.DEVNULL).returncode:
            raise EmbeddedPostgresError(f"PostgreSQL did not start; {log} ends:\n{_end_of(log)}")
        self._start_guard()

    def _start_guard(self) -> None:
        guard = [sys.executable, "-m", "agentops.embedded_postgres", str(self.base)]
        # By way of a shell that ends at once, so that the guard is nobody's child and outlives us.
        subprocess.run(
            ["/bin/sh", "-c", '"$@" &', "sh", *guard],
            check=True,
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _make_role_and_database(self) -> None:
        role, database = sql.Identifier(APPLICATION_ROLE), sql.Identifier(DATABASE)
        with self.connect_as_admin() as connection:
            if not _exists(connection, "pg_roles", "rolname", APPLICATION_ROLE):
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN CREATEDB NOSUPERUSER").format(role)
                )
            if not _exists(connection, "pg_database", "datname", DATABASE):
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))

    def _clear_remains(self) -> None:
        """Remove the files of a server that was killed, once no process of it is left.

        Their process id may by now be a zombie's or a stranger's, and PostgreSQL would not start
        over it. Backends outlive a killed server until their statement ends; we wait for those.
        """
        remains = (self.data / "postmaster.pid", self.socket_folder / ".s.PGSQL.5432.lock")
        if not any(file.exists() for file in remains) or not Path("/proc/self").exists():
            return
        deadline = time.monotonic() + _STALE_AFTER_S
        while time.monotonic() < deadline and not self.answers():
            if not self.processes():
                for file in remains:
                    file.unlink(missing_ok=True)
                return
            time.sleep(0.1)

    def processes(self) -> list[int]:
        """Ids of this server's living processes; only Linux tells, elsewhere PostgreSQL judges."""
        marks = (self._cluster_name.encode(), str(self.data).encode())
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes()  # readable by everybody, empty for a zombie
                program = line.split(b"\0")[0].split(b":")[0]
                if Path(os.fsdecode(program)).name == "postgres" and any(m in line for m in marks):
                    found.append(int(entry.name))
        return found

    @property
    def _cluster_name(self) -> str:
        return f"agentops-{self._tag}"

    def _usable_base(self, base: Path) -> Path:
        base.mkdir(parents=True, exist_ok=True)
        if self._run_as and not postgres_programs.reachable(base, user_id=self._run_as.pw_uid):
            base = self._elsewhere
            base.mkdir(mode=0o755, exist_ok=True)
        if base.is_symlink() or base.stat().st_uid != os.geteuid():
            owner = base.lstat().st_uid
            raise EmbeddedPostgresError(
                f"{base} belongs to another user (id {owner}). Remove it, work as that user, "
                "or set DATABASE_URL."
            )
        return base

    @cached_property
    def programs(self) -> postgres_programs.Programs:
        for found in postgres_programs.candidates():
            if not found.complete():
                continue
            user = self._run_as
            if user is None or postgres_programs.reachable(found.folder, user_id=user.pw_uid):
                return found
            if found.package:
                self._elsewhere.mkdir(mode=0o755, exist_ok=True)
                return postgres_programs.copied(found, into=self._usable_base(self._elsewhere))
        raise EmbeddedPostgresError(
            "No PostgreSQL programs found. Install the requirements (`make setup`) or PostgreSQL, "
            "set AGENTOPS_PG_BIN to the folder that holds initdb, or set DATABASE_URL to a server."
        )


def _somebody_else() -> pwd.struct_passwd:
    """PostgreSQL refuses to run as root."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedPostgresError("PostgreSQL cannot run as root, and there is no user to run it as.")


def _exists(connection: psycopg.Connection, table: str, column: str, name: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(
        sql.Identifier(table), sql.Identifier(column)
    )
    return connection.execute(query, [name]).fetchone() is not None


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"


if __name__ == "__main__":
    EmbeddedPostgres(base=Path(sys.argv[1])).stop_when_nobody_holds_it()

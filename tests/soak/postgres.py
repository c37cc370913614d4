"""PostgreSQL as the monkey sees it: stopped and started under everybody, backends cut."""

from __future__ import annotations

import subprocess
from pathlib import Path

from agentops.embedded_postgres import DATABASE, EmbeddedPostgres

# A crash of the machine may lose everything; one of the server nothing: each commit is with the
# operating system before it is answered.
PARAMETERS = {"max_connections": "300", "fsync": "off", "full_page_writes": "off"}


class Postgres:
    """The soak's own server; whoever restarts it holds no lock of the embedded server's."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._log = server.data / "server.log"

    def said(self) -> str:
        """Return its log."""
        return self._log.read_text(errors="replace")

    def stop(self, mode: str) -> None:
        """Stop it: `immediate` is a crash, `fast` cuts every connection."""
        self._pg_ctl("stop", "-m", mode)

    def start(self) -> None:
        """Start it as it was started before."""
        self._pg_ctl("restart", "-l", self._log)

    def cut(self, count: int) -> int:
        """Terminate so many of the application's backends, any; return how many there were."""
        with self._server.connect_as_admin(database=DATABASE) as connection:
            found = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity"
                " WHERE usename = 'agentops' ORDER BY random() LIMIT %s) AS unlucky",
                [count],
            )
            return found.rowcount

    def _pg_ctl(self, what: str, *options: str | Path) -> None:
        arguments = (what, *options, "-w", "-t", "60", "-D", self._server.data)
        # the server inherits these files: with a pipe we would wait for its end
        done = self._server._run("pg_ctl", *arguments, output=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"pg_ctl {what} failed; see {self._log}")

"""Where a run happens: a PostgreSQL cluster of its own with default, durable parameters.

`prepare` must come before Django's settings are read; `open_place` starts the server.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from agentops.embedded_postgres import PARAMETERS, EmbeddedPostgres
from agentops.environment import LOCAL_DIR
from bench.processes import Child

KEPT = {"AGENTOPS_PG_BIN", "AGENTOPS_VENV"}


@dataclass(frozen=True)
class Place:
    """One run's server and folder."""

    server: EmbeddedPostgres
    folder: Path

    @property
    def postmaster(self) -> int:
        return int((self.server.data / "postmaster.pid").read_text().split()[0])

    def start(self, *arguments: str, **variables: str) -> Child:
        """Start a process on this run's database; a context manager that ends it."""
        log = self.folder / f"{arguments[1 if arguments[0] == '-m' else 0]}.log"
        return Child(*arguments, log=log, **variables)


def prepare(
    *,
    name: str = "bench",
    settings: str = "bench.settings",
    parameters: Mapping[str, str] = PARAMETERS,
) -> Place:
    """Make the folder, and an environment that holds nothing of this machine's configuration."""
    LOCAL_DIR.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=LOCAL_DIR))
    folder.chmod(0o755)  # as root, the server runs as another user and must get in
    for given in list(os.environ):
        if given.startswith(("AGENTOPS_", "OPENAI_", "DJANGO_", "Q_")) and given not in KEPT:
            del os.environ[given]
    for given in ("DATABASE_URL", "EMAIL_URL", "DEBUG", "ALLOWED_HOSTS"):
        os.environ.pop(given, None)
    server = EmbeddedPostgres(base=folder, parameters=parameters)
    os.environ.update(
        AGENTOPS_ENV_FILE="",
        AGENTOPS_LOG_LEVEL="WARNING",
        AGENTOPS_PG_SOCKET=str(server.socket_folder),
        AGENTOPS_STATIC_FILES="source",
        DJANGO_SETTINGS_MODULE=settings,
        PYTHONUNBUFFERED="1",
        SECRET_KEY=f"only for this {name}",
    )
    return Place(server, folder)


@contextlib.contextmanager
def open_place(place: Place) -> Iterator[None]:
    """Run the server, migrated and with sample data; leave nothing behind."""
    try:
        with place.server:
            call_command("migrate", verbosity=0)
            call_command("load_sample_data", stdout=io.StringIO())
            yield
            connection.close()
    finally:
        for folder in (place.server.base, place.folder):
            shutil.rmtree(folder, ignore_errors=True)

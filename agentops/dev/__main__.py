"""`make run`, once everything is installed: prepare, start every process, keep them running."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, SystemCheckError
from django.db import DatabaseError, connections

from agentops import environment
from agentops.dev import services
from agentops.dev.child import Service
from agentops.dev.console import progress, say
from agentops.dev.preparation import prepare, sandbox_regulator_port
from agentops.dev.supervisor import Supervisor
from agentops.environment import LOCAL_DIR
from agentops.postgres_programs import EmbeddedPostgresError
from agentops.site_database import needs_embedded_server, site_database

LOGS = LOCAL_DIR / "logs"
REFUSALS = (
    CommandError,
    DatabaseError,
    EmbeddedPostgresError,
    ImproperlyConfigured,
    SystemCheckError,
)
"""What a person can do something about: shown as a sentence, without a traceback."""


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentops.settings")
    environment.load_env_file()
    if os.environ.get("AGENTOPS_ENV") == "production":
        return _fail("`make run` is for development. docs/operating.md tells how to run it.")
    signal.signal(signal.SIGTERM, _stop_early)
    try:
        with only_one_run():
            run()
    except REFUSALS as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        say("\nStopped.")
        return 128 + signal.SIGINT
    return 0


def run() -> None:
    say("Starting AgentOps")
    with contextlib.ExitStack() as held:
        embedded = needs_embedded_server()
        with progress("Starting PostgreSQL" if embedded else "Using DATABASE_URL"):
            held.enter_context(site_database())
            django.setup()
        logins = prepare()
        port = services.web_port()
        supervisor = Supervisor(_services(port=port), logs=LOGS)
        connections.close_all()
        supervisor.listen()
        try:
            with progress("Starting the processes"):
                supervisor.start()
            _welcome(port=port, logins=logins)
            supervisor.watch()
        finally:
            say("\nStopping; agents finish what they have in hand. Ctrl-C again kills at once.")
            supervisor.stop()
    say("Stopped.")


def _services(*, port: int) -> list[Service]:
    os.environ.setdefault("AGENTOPS_SITE_URL", f"http://127.0.0.1:{port}")
    wanted = [services.regulator(port=sandbox_regulator_port()), *services.clusters()]
    if services.needs_rehearsal():
        server, variables = services.rehearsal()
        os.environ.update(variables)
        wanted.append(server)
    return [*wanted, services.web(port=port)]


def _welcome(*, port: int, logins: str) -> None:
    say(f"\nAgentOps runs at http://127.0.0.1:{port}/\n")
    say(logins)
    if os.environ.get("AGENTOPS_REHEARSAL"):
        say("No OPENAI_API_KEY: a rehearsal server plays the LLM's part.")
    say(f"Logs: {LOGS}. Stop with Ctrl-C.")


@contextlib.contextmanager
def only_one_run() -> Iterator[None]:
    """Two of them would fight over ports and drive the same executions. Raises `CommandError`."""
    LOCAL_DIR.mkdir(exist_ok=True)
    with (LOCAL_DIR / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                "AgentOps already runs from this folder. Stop that one first."
            ) from None
        yield


def _stop_early(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

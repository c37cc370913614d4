"""Makes a database and a folder of static files ready; does nothing twice."""

from __future__ import annotations

import hashlib
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from agentops.dev import ports
from agentops.dev.console import progress

SANDBOX_PORT = 8002


def prepare() -> str:
    """Migrate, collect files, and at the first start load sample data; what `demo_logins` said."""
    with progress("Checking the configuration"):
        call_command("check", databases=["default"], stdout=StringIO())
    with progress("Migrating the database"):
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
    _collect_static_files()
    if _is_empty():
        with progress("Loading sample data"):
            call_command("load_sample_data", verbosity=0, stdout=StringIO())
    said = StringIO()
    call_command("demo_logins", stdout=said)
    return said.getvalue()


def _is_empty() -> bool:
    return not get_user_model().objects.filter(is_service=False).exists()


def _collect_static_files() -> None:
    if settings.AGENTOPS_STATIC_FILES != "collected":
        return
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    wanted = _fingerprint_of_static_files()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    with progress("Collecting static files"):
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(wanted)


def _fingerprint_of_static_files() -> str:
    found = hashlib.sha256()
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda entry: entry[0]):
            changed = Path(storage.path(path)).stat()
            found.update(f"{path} {changed.st_mtime_ns} {changed.st_size}\n".encode())
    return found.hexdigest()


def sandbox_regulator_port() -> int:
    """Where the sandbox authority must listen: the address in its row, unless somebody else does.

    Then the row is changed, because filings go where the row says.
    """
    desks = apps.get_model("tools", "Regulator").objects.filter(
        is_live=False, endpoint__startswith=f"http://{ports.LOOPBACK}:"
    )
    known = sorted({urlsplit(desk.endpoint).port or SANDBOX_PORT for desk in desks})
    port = ports.first_free([*known, SANDBOX_PORT, *range(8051, 8070)])
    for desk in desks:
        if urlsplit(desk.endpoint).port != port:
            path = urlsplit(desk.endpoint).path
            desks.filter(pk=desk.pk).update(endpoint=f"http://{ports.LOOPBACK}:{port}{path}")
    return port

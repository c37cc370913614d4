"""A real web server of a test."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable

from agentops.dev.ports import first_free
from tests.support.processes import ChildProcess
from tests.support.waiting import wait_until


def web_server(start: Callable[..., ChildProcess], **variables: str) -> str:
    """Start gunicorn on the test's database; return its address once it answers."""
    bind = f"127.0.0.1:{first_free(range(8400, 8500))}"
    web = start(
        "-m", "gunicorn", "agentops.wsgi:application", "--bind", bind,
        "--worker-class", "gthread", "--threads", "4", **variables,
    )  # fmt: skip
    address = f"http://{bind}"

    def answers() -> bool:
        assert web.returncode() is None, web.log()
        try:
            with urllib.request.urlopen(f"{address}/admin/login/", timeout=10) as page:
                return bool(page.status == 200)
        except OSError:
            return False

    wait_until(answers, within_s=30, what="the web server")
    return address

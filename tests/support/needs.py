"""What a test needs of its machine. Missing: skipped with its name, or failed where CI=true."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """End this test because the machine lacks `what`."""
    if in_ci():
        pytest.fail(f"CI=true, and this machine lacks {what}", pytrace=False)
    pytest.skip(f"this machine lacks {what}")


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")

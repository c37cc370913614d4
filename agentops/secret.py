"""The secret key of a development machine: made once, kept in a file only its owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from agentops.environment import LOCAL_DIR


def secret_key_of_this_machine(*, path: Path = LOCAL_DIR / "secret-key") -> str:
    """Read the key, or make it. Two processes that make it at once agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)  # fails when somebody was quicker, and theirs holds
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()

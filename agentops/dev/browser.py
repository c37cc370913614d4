"""Finds a Chromium for the browser tests, or gets one: `python -m agentops.dev.browser`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_DOWNLOAD_WITHIN_S = 600


def find_browser() -> str | None:
    """The path of a Chromium: AGENTOPS_BROWSER, one of the machine, or Playwright's own."""
    if chosen := os.environ.get("AGENTOPS_BROWSER"):
        return chosen if os.access(chosen, os.X_OK) else None
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return _playwrights_own()


def obtain_browser() -> str | None:
    """Find one, else download Playwright's, else install the distribution's when root."""
    return find_browser() or _download() or _install()


def _playwrights_own() -> str | None:
    """Where Playwright's download lies, without starting Playwright (half a second)."""
    root = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    cache = Path(root) if root else Path.home() / _CACHES.get(sys.platform, ".cache/ms-playwright")
    programs = (
        "chrome-linux*/chrome",
        "chrome-mac*/*.app/Contents/MacOS/*",
        "chrome-win*/chrome.exe",
    )
    found = [path for program in programs for path in cache.glob(f"chromium-*/{program}")]
    return str(max(found)) if found else None


_CACHES = {
    "darwin": "Library/Caches/ms-playwright",
    "win32": "AppData/Local/ms-playwright",
}


def _download() -> str | None:
    _say("No browser found; trying Playwright's own (about 170 MB) …")
    options = ["--with-deps"] if _is_root() and shutil.which("apt-get") else []
    _succeeds(sys.executable, "-m", "playwright", "install", *options, "chromium")
    return _playwrights_own()


def _install() -> str | None:
    if not (_is_root() and shutil.which("apt-get")):
        return None
    _say("Playwright's download failed; trying the distribution's Chromium …")
    _succeeds("apt-get", "update", "-q")
    _succeeds("apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium")
    return find_browser()


def _succeeds(*command: str) -> bool:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            timeout=_DOWNLOAD_WITHIN_S,
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _say(str(error))
        return False
    return done.returncode == 0


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    print(obtain_browser() or "")

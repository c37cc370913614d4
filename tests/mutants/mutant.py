"""A protection and the patch that takes it out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Patch:
    """`old` stands exactly once in `file` (a path from the project's root) and becomes `new`."""

    file: str
    old: str
    new: str

    def problem(self, root: Path) -> str | None:
        """Return why it cannot be applied, or None."""
        path = root / self.file
        if not path.exists():
            return f"{self.file} is not there"
        found = path.read_text(encoding="utf-8").count(self.old)
        return None if found == 1 else f"{self.file} holds {self.old!r} {found} times"

    def apply(self, root: Path) -> None:
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True)
class Mutant:
    """`name` is short, `protection` says what is lost, `suites` are looked at in this order."""

    name: str
    protection: str
    patches: tuple[Patch, ...]
    suites: tuple[str, ...]

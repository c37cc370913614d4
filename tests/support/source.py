"""The project's own source, read as syntax trees: who imports whom, how long things are."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from agentops.environment import BASE_DIR

OURS = ("agentops", "executions", "tools")
EVERYTHING = (*OURS, "tests", "bench")


@dataclass(frozen=True, kw_only=True)
class Module:
    """One file; `name` is dotted, without `__init__`."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every module it imports, at whatever depth, with the line."""
        for node in ast.walk(self.tree):
            yield from ((name, node.lineno) for name in _imported(node))

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def at(self, line: int) -> str:
        return f"{self.path.relative_to(BASE_DIR)}:{line}"


def imports_inside(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[tuple[str, int]]:
    for node in ast.walk(function):
        yield from ((name, node.lineno) for name in _imported(node))


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            below = f"{node.module}.{alias.name}"
            yield below if below in module_names() else node.module


@cache
def modules(*roots: str) -> tuple[Module, ...]:
    """The modules below those folders, without migrations."""
    return tuple(
        Module(name=_dotted(path), path=path)
        for root in roots
        for path in sorted((BASE_DIR / root).rglob("*.py"))
        if "migrations" not in path.parts and "__pycache__" not in path.parts
    )


@cache
def module_names() -> frozenset[str]:
    return frozenset(module.name for module in modules(*EVERYTHING))


def _dotted(path: Path) -> str:
    parts = path.relative_to(BASE_DIR).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def project_files() -> Iterator[Path]:
    """Every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [BASE_DIR / name for name in listed.stdout.split("\0") if name]
    else:  # an unpacked archive
        paths = [path for root in EVERYTHING for path in (BASE_DIR / root).rglob("*")]
        paths += list(BASE_DIR.glob("*.*"))
    yield from (path for path in paths if path.is_file() and path.suffix != ".pyc")

"""The rules of the house, checked by reading the source: docs/architecture.md gives the reasons."""

from __future__ import annotations

import ast
import re
from statistics import median

from agentops.environment import BASE_DIR
from tests.support.source import (
    EVERYTHING,
    OURS,
    Module,
    imports_inside,
    module_names,
    modules,
    project_files,
    within,
)

MAKE_MARKUP = {"executions.templatetags.show"}  # marks inside a text, and icons
AT_ONE_MOMENT = {"is_visible", "is_hidden", "is_enabled", "is_disabled", "is_checked"}
LONGEST_FILE = 300
LONGEST_FUNCTION = 60
MEDIAN_FUNCTION = 10

CORE, AGENTS, MODELS = "executions.core", "executions.agents", "executions.models"
FAULTS = "executions.faults"
COMMITS = (FAULTS, "executions.commits")
TOOL_WORDS = ("tools.approval", "tools.base", "tools.decisions", "tools.registry")
PERMISSIONS, USERS = "executions.permissions", "agentops.accounts.models"
PEOPLE = (
    *(CORE, MODELS, AGENTS, PERMISSIONS, USERS),
    *("executions.operations", "executions.metrics", "executions.invariants", *TOOL_WORDS),
)
LOOKING = ("tools.looking", "tools.pages", "tools.read_once", "tools.records")
PAGE_WORDS = ("agentops.accounts.keys", "executions.templatetags", "tools.models")
QUEUE = ("executions.engine.queue", "executions.engine.cluster")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    CORE: (),
    AGENTS: (CORE,),
    "executions.llm": (FAULTS, CORE),
    MODELS: (CORE,),
    FAULTS: (),
    "executions.commits": (FAULTS,),
    PERMISSIONS: (CORE,),
    "executions.engine": (
        *COMMITS,
        MODELS,
        AGENTS,
        PERMISSIONS,
        "executions.llm",
        CORE,
        *TOOL_WORDS,
    ),
    "executions.operations": (
        *("executions.engine.tickets", "executions.engine.definitions", *COMMITS),
        *(MODELS, AGENTS, PERMISSIONS, USERS, CORE, *TOOL_WORDS),
    ),
    "executions.housekeeping": (
        *("executions.engine.recovery", "executions.engine.seals"),
        *("executions.invariants", "executions.operations", "executions.notifications"),
    ),
    "executions.notifications": (
        *("executions.commits", MODELS, PERMISSIONS, USERS, CORE, *TOOL_WORDS),
        "tools.deadline",
    ),
    "executions.metrics": (MODELS, CORE),
    "executions.invariants": (MODELS, AGENTS, PERMISSIONS, USERS, CORE, *TOOL_WORDS),
    "executions.admin": (
        *(*PEOPLE, *PAGE_WORDS, *QUEUE),
        *("executions.pages", "executions.engine.admin_guard"),
    ),
    "executions.desk": (*PEOPLE, *PAGE_WORDS, "executions.pages", *LOOKING),
    "executions.pages": (*PEOPLE, *PAGE_WORDS, *QUEUE),
    "executions.management": (*PEOPLE, *QUEUE),
    "executions.templatetags": (CORE,),
    "executions.urls": ("executions.desk", "executions.pages"),
    "executions.checks": (MODELS, AGENTS, CORE, "executions.engine", "executions.llm", *TOOL_WORDS),
    "executions.registry_sync": (MODELS, PERMISSIONS, *TOOL_WORDS),
    "executions.migration_sql": (),
    "executions.apps": (),
    "tools": ("tools",),
    "agentops.agents": ("executions.agents", CORE),
    "agentops.rehearsal": (),
    "agentops.sandbox": (),
    "agentops": ("agentops",),
}
"""Who may import whom of ours. Everybody may import the own room; the longest name decides."""

ONLY_HERE = {"django_q": "executions.engine", "openai": "executions.llm"}
NEVER_IMPORTED = ("executions.admin", "executions.management", "tools.management")
PURE = (CORE, "tools.approval", "tools.base", "tools.decisions", "tools.schemas")
IMPURE_MODULES = (
    *("asyncio", "django", "glob", "http", "io", "logging", "os", "pathlib", "psycopg", "random"),
    *(
        "secrets",
        "shutil",
        "socket",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib",
    ),
)
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input"}


def room_of(name: str) -> str:
    """The room whose rule governs a module; one without a rule may import nothing of others."""
    rooms = [room for room in MAY_IMPORT if within(name, room)]
    return max(rooms, key=len, default=".".join(name.split(".")[:2]))


def first_party(name: str) -> bool:
    return any(within(name, root) for root in OURS)


def test_every_import_follows_the_rules() -> None:
    wrong = []
    for module in modules(*OURS):
        room = room_of(module.name)
        for name, line in module.imports():
            allowed = (room, *MAY_IMPORT.get(room, ()))
            if name in OURS:  # the package itself, which only tells its version
                continue
            if first_party(name) and not any(within(name, package) for package in allowed):
                wrong.append(f"{module.at(line)}: {room} may not import {name} (MAY_IMPORT)")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_only_the_engine_knows_the_queue_and_only_the_llm_port_a_vendor() -> None:
    wrong = [
        f"{module.at(line)}: only {home} imports {library}"
        for module in modules(*OURS)
        for name, line in module.imports()
        for library, home in ONLY_HERE.items()
        if within(name, library) and not within(module.name, home)
    ]
    assert not wrong, "\n".join(wrong)


def test_nobody_imports_views_or_commands() -> None:
    wrong = [
        f"{module.at(line)} imports {name}"
        for module in modules(*OURS)
        for name, line in module.imports()
        if any(within(name, room) and not within(module.name, room) for room in NEVER_IMPORTED)
        or (first_party(name) and name.endswith(".views") and not module.name.endswith("urls"))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_first_party_import_hides_in_a_function() -> None:
    wrong = [
        f"{module.at(line)}: {function.name} imports {name}"
        for module in modules(*EVERYTHING)
        for function in module.functions()
        for name, line in imports_inside(function)
        if first_party(name)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_core_knows_no_django_no_clock_and_no_files() -> None:
    pure = [module for module in modules(*OURS) if any(within(module.name, p) for p in PURE)]
    wrong = [
        f"{module.at(line)} imports {name}"
        for module in pure
        for name, line in module.imports()
        if any(within(name, impure) for impure in IMPURE_MODULES)
    ]
    wrong += [
        f"{module.at(line)} calls {name}()" for module in pure for name, line in _calls(module)
    ]
    assert not wrong, "\n".join(wrong)


def _calls(module: Module) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "id", None) or getattr(function, "attr", "")
            if name in IMPURE_CALLS:
                found.append((name, node.lineno))
    return found


def test_files_hold_one_concept() -> None:
    long = {
        module.name: lines
        for module in modules(*EVERYTHING)
        if (lines := module.text.count("\n")) > LONGEST_FILE
    }
    assert not long, f"longer than {LONGEST_FILE} lines: {long}"


def test_functions_are_short() -> None:
    lengths = {
        f"{module.at(function.lineno)} {function.name}": function.end_lineno - function.lineno + 1
        for module in modules(*OURS)
        for function in module.functions()
        if function.end_lineno
    }
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}
    assert not long, f"longer than {LONGEST_FUNCTION} lines: {long}"
    assert median(lengths.values()) < MEDIAN_FUNCTION


def test_each_migration_follows_another_one() -> None:
    """Two that follow the same one would stop every `migrate`."""
    after: dict[str, list[str]] = {}
    for path in sorted(BASE_DIR.glob("*/migrations/0*.py")):
        for parent in re.findall(r'\("(\w+)", "(0\w+)"\)', path.read_text(encoding="utf-8")):
            if parent[0] == path.parts[-3]:
                after.setdefault("/".join(parent), []).append(path.stem)
    assert after
    assert not {parent: names for parent, names in after.items() if len(names) > 1}


def test_what_is_stored_reaches_a_page_by_escaping_only() -> None:
    """S9: no template switches escaping off, and no code calls a text safe. `format_html` escapes
    what it is given; it stands where a value must be in markup, and nowhere else."""
    unsafe = re.compile(
        r"\|\s*safe(seq)?\b|autoescape\s+off|\bSafe(String|Text)\(|is_safe\s*=\s*True"
        r"|\b(mark_safe|html_safe|__html__|insertAdjacentHTML|innerHTML|outerHTML)\b"
    )
    found = [
        f"{path.relative_to(BASE_DIR)}: {hit.group()}"
        for path in project_files()
        if path.suffix in (".py", ".html", ".txt", ".js") and "tests" not in path.parts
        for hit in unsafe.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    users = {module.name for module in modules(*OURS) if "format_html" in module.text}
    assert users <= MAKE_MARKUP, "Let the template make the markup, or say here why it cannot."


def test_no_test_sleeps() -> None:
    wrong = [
        module.at(node.lineno)
        for module in modules("tests")
        if module.name != "tests.support.waiting"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep")
    ]
    assert not wrong, f"poll with tests.support.waiting.wait_until instead: {wrong}"


def test_no_browser_test_asserts_what_a_page_shows_at_one_moment() -> None:
    wrong = [
        module.at(test.lineno)
        for module in modules("tests")
        for test in ast.walk(module.tree)
        if isinstance(test, ast.Assert)
        for node in ast.walk(test.test)
        if isinstance(node, ast.Attribute) and node.attr in AT_ONE_MOMENT
    ]
    assert not wrong, f"a page may still be loading; expect(…) waits for it: {wrong}"


def test_no_file_names_a_package_registry() -> None:
    # Put together here, so that this file does not name them either.
    hosts = ["pypi" + ".org", "python" + "hosted.org", "npm" + "js.", "deb" + "ian.org/debian"]
    assert not _files_that_say("|".join(map(re.escape, hosts)))


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    assert not _files_that_say(r"(?<![\w.])/(root|home/\w+|Users/\w+)/")


def _files_that_say(pattern: str) -> list[str]:
    said = re.compile(pattern.encode())
    return [
        str(path.relative_to(BASE_DIR))
        for path in project_files()
        if path.suffix not in (".png", ".ttf", ".pdf", ".woff2") and said.search(path.read_bytes())
    ]


def test_every_rule_is_about_a_room_that_exists_or_is_planned() -> None:
    """A rule for a misspelt room would allow everything."""
    roots = {room.split(".")[0] for room in MAY_IMPORT}
    assert roots == set(OURS)
    assert {CORE, AGENTS, MODELS} <= module_names()

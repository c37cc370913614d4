#!/usr/bin/env python3
"""python3 dev.py run | test | proofs | soak | check | bench | lock | setup

    run     install what is needed, then start everything on this machine; Ctrl-C stops it
    test    install what is needed, then run every test (more arguments go to pytest)
    proofs  all tests in their long form: hours (docs/reliability.md)
    soak    real processes, and a monkey that kills them: ten minutes (docs/reliability.md)
    check   ruff, types, the architecture's rules
    bench   measure: three minutes, one table (docs/benchmarks.md)
    lock    write requirements.txt anew from pyproject.toml (needs uv)
    setup   install what is needed into .venv, and nothing else

Needs Python's standard library only. It installs into .venv, by uv when that is there, else by pip,
and only files whose hashes stand in requirements.txt.
"""

from __future__ import print_function

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PROGRAMS = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(PROGRAMS, "python.exe" if os.name == "nt" else "python")
REQUIREMENTS = os.path.join(ROOT, "requirements.txt")
OLDEST, NEWEST = 11, 14  # of Python 3
LOCK = [
    "pip",
    "compile",
    "pyproject.toml",
    "--group=dev",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--custom-compile-command=make lock",
    "--output-file=requirements.txt",
]


def main(arguments):
    commands = {
        "run": run,
        "test": test,
        "proofs": proofs,
        "soak": soak,
        "check": check,
        "bench": bench,
        "lock": lock,
        "setup": setup,
    }
    name = arguments[0] if arguments else "run"
    if name not in commands:
        return __doc__
    os.chdir(ROOT)
    if name != "lock":
        setup()
    return commands[name](*arguments[1:])


def run(*arguments):
    return become("-m", "agentops.dev", *arguments)


def test(*arguments):
    browser = subprocess.run(
        [PYTHON, "-m", "agentops.dev.browser"], stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    if browser:
        os.environ["AGENTOPS_BROWSER"] = browser
    elif in_ci():
        return "No browser can be had, and with CI=true the browser tests may not be skipped."
    else:
        say("No browser can be had: the tests in tests/browser will be skipped.")
    # Three at once keep two cores busy: many a test waits for processes of its own.
    return become("-m", "pytest", "-n", "3", "--dist", "loadgroup", *arguments)


def proofs(*arguments):
    return test("--effort=long", *arguments)


def soak(*arguments):
    return become("-m", "tests.soak", *arguments)


def check(*arguments):
    """Everything is run even if something before it failed, so that one look tells all."""
    # The type checker reads Django's settings, which want a database; it never connects.
    environment = dict(os.environ, AGENTOPS_PG_SOCKET="unused", AGENTOPS_ENV_FILE="")
    failed = [
        command[1]
        for command in (
            ["-m", "ruff", "check", "."],
            ["-m", "ruff", "format", "--check", "."],
            ["-m", "mypy"],
            ["-m", "pytest", "-q", "tests/test_architecture.py"],
        )
        if subprocess.call([PYTHON] + command, env=environment)
    ]
    return 1 if failed else 0


def bench(*arguments):
    return become("-m", "bench", *arguments)


def lock():
    uv = shutil.which("uv")
    if not uv:
        return "uv is needed to write requirements.txt anew. Install it, then run this again."
    return subprocess.call([uv] + LOCK, stdout=subprocess.DEVNULL)


def setup(*arguments):
    """Make .venv what requirements.txt says. Nothing to do is found out in a millisecond."""
    with one_at_a_time():
        python = newest_python()
        wanted = fingerprint(python)
        stamp = os.path.join(VENV, ".installed")
        if os.path.exists(PYTHON) and os.path.exists(stamp):
            with open(stamp) as file:
                if file.read() == wanted:
                    return
        started = time.time()
        shutil.rmtree(VENV, ignore_errors=True)  # a half-made one is never used again
        if not (install_with_uv(python) or install_with_pip(python)):
            shutil.rmtree(VENV, ignore_errors=True)
            sys.exit(
                "Installing failed; the lines above say why. On Debian and Ubuntu `apt install "
                "python3-venv` may be missing; uv, where installed, is used instead of pip."
            )
        with open(stamp, "w") as file:
            file.write(wanted)
        say("Installed in %.0f s." % (time.time() - started))


def install_with_uv(python):
    uv = shutil.which("uv")
    if not uv or subprocess.call([uv, "venv", "-q", "--python", python, VENV]):
        return False
    say("Installing what requirements.txt lists, with uv …")
    install = ["pip", "install", "-q", "--python", PYTHON, "--require-hashes", "-r", REQUIREMENTS]
    if subprocess.call([uv] + install) == 0:
        return True
    say("uv failed; trying pip.")
    shutil.rmtree(VENV, ignore_errors=True)
    return False


def install_with_pip(python):
    say("Installing what requirements.txt lists, with pip …")
    options = ["install", "-q", "--disable-pip-version-check", "--require-hashes"]
    made = subprocess.call([python, "-m", "venv", VENV], stdout=subprocess.DEVNULL) == 0
    if made:
        return with_dots([PYTHON, "-m", "pip"] + options + ["-r", REQUIREMENTS])
    # A Python without ensurepip (Debian without python3-venv), but perhaps with a pip of its own.
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.call([python, "-m", "venv", "--without-pip", VENV]):
        return False
    return with_dots([python, "-m", "pip", "--python", PYTHON] + options + ["-r", REQUIREMENTS])


def with_dots(command):
    """Run it, printing a dot every two seconds so that one sees it is alive."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        while True:
            try:
                return process.wait(2) == 0
            except subprocess.TimeoutExpired:
                print(".", end="", flush=True)
    finally:
        if process.poll() is None:
            process.kill()
        print("", flush=True)


def newest_python():
    """This Python when it will do, else the newest on PATH that will."""
    if OLDEST <= sys.version_info[1] <= NEWEST:
        return sys.executable
    for minor in range(NEWEST, OLDEST - 1, -1):
        found = shutil.which("python3.%d" % minor)
        # What lies on PATH may be a version manager's stub that only prints a hint.
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return found
    if sys.version_info[1] >= OLDEST:
        return sys.executable
    return sys.exit(
        "Python 3.%d or newer is needed; this is %s." % (OLDEST, sys.version.split()[0])
    )


def fingerprint(python):
    version = subprocess.check_output([python, "-VV"])
    with open(REQUIREMENTS, "rb") as file:
        # A virtual environment cannot be moved, so its place belongs to it.
        return hashlib.sha256(file.read() + version + VENV.encode()).hexdigest()


@contextlib.contextmanager
def one_at_a_time():
    """`make run` and `make test` in two terminals of a fresh clone must not both install."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    folder = os.path.join(ROOT, ".local")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "setup.lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def become(*arguments):
    """Go on as the virtual environment's Python, so that signals reach it directly."""
    command = [PYTHON] + list(arguments)
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    sys.stdout.flush()
    return os.execv(PYTHON, command)


def in_ci():
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def say(sentence):
    print(sentence, flush=True)


if __name__ == "__main__":
    if sys.version_info < (3, 6):
        sys.exit("Python 3.%d or newer is needed; this is %s." % (OLDEST, sys.version.split()[0]))
    sys.exit(main(sys.argv[1:]))

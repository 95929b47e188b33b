"""What the import contracts cannot check: a pure core, light imports, and small files."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import trc_engage

PACKAGE = Path(trc_engage.__file__).parent
CORE = sorted((PACKAGE / "core").rglob("*.py"))
USE_CASES = [
    *(PACKAGE / name for name in ("engage.py", "reader.py")),
    *sorted((PACKAGE / "usecases").rglob("*.py")),
]

ALLOWED = {"__future__", "attrs", "collections", "contextlib", "datetime", "functools", "itertools"}
ALLOWED |= {"re", "typing", "unicodedata"}
IMPURE_NAMES = {"open", "print", "input", "exec", "eval", "__import__"}
IMPURE_ATTRIBUTES = {"now", "today", "utcnow", "time", "sleep", "monotonic", "random", "randrange", "getenv", "environ"}
HEAVY = [
    "cattrs",
    "httpx",
    "logging.handlers",
    "psycopg",
    "pytest",
    "rich",
    "sentry_sdk",
    "sqlite3",
    "sqlite_utils",
    "typer",
]


def imported(tree: ast.AST) -> set[str]:
    """Return the top-level names of all modules that a file imports absolutely."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("path", [*CORE, *USE_CASES], ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_the_core_is_pure(path: Path) -> None:
    """Core and use cases import only what is allowed, and never ask for time, chance, files or the environment."""
    tree = ast.parse(path.read_text())
    may_log = {"logging"} if path in USE_CASES else set()
    # `Engage` asks whether its thread runs an event loop.
    may_look = {"sys"} if path.name == "engage.py" else set()
    assert imported(tree) <= ALLOWED | may_log | may_look
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not {call.id for call in calls if isinstance(call, ast.Name)} & IMPURE_NAMES
    assert not {call.attr for call in calls if isinstance(call, ast.Attribute)} & IMPURE_ATTRIBUTES


@pytest.mark.parametrize("path", [*CORE, *USE_CASES], ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_core_names_no_vendor_command_or_variable(path: Path) -> None:
    """Core and use cases name no vendor, command or variable: those belong to the adapters and entry points."""
    assert not re.search(r"mee6|trc-engage|TRC_ENGAGE|discord\.com", path.read_text(), re.IGNORECASE)


def test_the_purity_test_sees_something() -> None:
    """The checks of purity see an import of `random` and a call of `now`, so they are known to work."""
    tree = ast.parse("import random\nfrom datetime import datetime\ndatetime.now()")
    assert imported(tree) - ALLOWED == {"random"}
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert {call.attr for call in calls if isinstance(call, ast.Attribute)} & IMPURE_ATTRIBUTES == {"now"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    """Importing the package loads no heavy library, so a web app that only awards points pays for attrs alone."""
    program = f"import sys, trc_engage; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []


def test_commands_need_no_extra() -> None:
    """Every command loads without the packages that `[web]`, `[postgres]` and `[contract]` bring."""
    lacking = ("psycopg", "pytest", "starlette", "uvicorn")
    program = (
        f"import sys; sys.modules |= dict.fromkeys({lacking!r})\n"
        "from importlib import import_module\n"
        "from trc_engage.entrypoints import cli\n"
        "for name in {*cli.MODULES.values()}: import_module(f'{cli.__name__}.{name}')"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_files_and_functions_stay_small(path: Path) -> None:
    """A file has at most 450 lines, and a function at most 50."""
    text = path.read_text()
    assert len(text.splitlines()) <= 450
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, node.name

"""The program in `docs/embedding.md` is run, so that the page stays true."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/embedding.md"
FORKING = """
import os
from datetime import UTC, datetime
from trc_engage import Engage
from trc_engage.adapters.sqlite import SqliteLedger

with SqliteLedger.open("engage.db") as ledger:
    engage = Engage(ledger=ledger, clock=lambda: datetime.now(UTC))
    engage.enroll("m-ada")
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            engage.award("m-ada", source="run", points=1, key=f"run:{number}", at=datetime.now(UTC))
            os._exit(0)
        children.append(child)
    engage.award("m-ada", source="run", points=1, key="run:4", at=datetime.now(UTC))
    assert {os.waitpid(child, 0)[1] for child in children} == {0}
    assert engage.standing("m-ada").points == 5
"""
HIVE = '{"data": {"entries": [{"user": {"id": "80351110224678912"}, "points": 12340}]}}'
"""The file that the page tells you to save."""


def program(page: Path) -> str:
    """Return the page's blocks as one program, with each line at its number on the page."""
    lines, is_code = [], False
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            is_code = line == "```python"
            lines.append("")
        else:
            lines.append(line if is_code else "")
    return "\n".join(lines)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Write the page's program and its data into an empty folder, and return the program's path."""
    path = tmp_path / "embedding.py"
    path.write_text(program(PAGE))
    (tmp_path / "hive.json").write_text(HIVE)
    return path


def run(*words: str, folder: Path) -> tuple[int, str]:
    """Run Python in a folder, with warnings as errors; return its exit code and output."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "error", *words]
    finished = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return finished.returncode, finished.stdout + finished.stderr


def test_the_page_is_a_program_that_runs(page: Path) -> None:
    """The page's blocks run one after another, and what they assert is true."""
    assert "assert" in page.read_text()
    code, told = run(page.name, folder=page.parent)
    assert code == 0, told


def test_the_pages_own_ledger_keeps_the_contract(page: Path) -> None:
    """The ledger that the page defines passes the contract."""
    code, told = run("-m", "pytest", "-q", "-p", "no:cacheprovider", page.name, folder=page.parent)
    assert code == 0, told
    assert " passed" in told


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("page_first=1", "page_first=0"), ('limit="per_page"', 'limit="count"'), ('xp="points"', 'xp="xp"')],
)
def test_a_fact_that_is_wrong_does_not_fit_a_saved_page(page: Path, right: str, wrong: str) -> None:
    """A wrong fact about a source's pages fails against a saved page; the contract's own server could not notice it."""
    page.write_text(page.read_text().replace(right, wrong, 1))
    code, told = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "facts", page.name, folder=page.parent)
    assert code == pytest.ExitCode.TESTS_FAILED, told
    assert "test_the_facts_are_right" in told


def test_an_open_ledger_survives_a_fork(tmp_path: Path) -> None:
    """After a fork, parent and children go on with the same open ledger, and every award is booked."""
    code, told = run("-c", FORKING, folder=tmp_path)
    assert code == 0, told

"""The proof of the contract: ledgers that break one promise each do not pass it (`mutant_ledgers`)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mutant_ledgers import CAUGHT, LET_THROUGH

SUITE = Path(__file__).parents[1] / "mutant_ledgers.py"
OPTIONS = ("-q", "--tb=no", "-rf", "-p", "no:cacheprovider")


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run the shipped contract against all of them, in one process, and return what each failed."""
    base = tmp_path_factory.mktemp("mutants") / "base"
    command = [sys.executable, "-m", "pytest", str(SUITE), *OPTIONS, f"--basetemp={base}"]
    ended = subprocess.run(command, cwd=SUITE.parents[1], capture_output=True, text=True, check=False)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    return dict(re.findall(r"^FAILED \S+::Test(\w+)::(\S+)", ended.stdout, re.MULTILINE))


@pytest.mark.parametrize("name", [mutant.__name__ for mutant in (*LET_THROUGH, *CAUGHT)])
def test_a_broken_promise_fails(failed: dict[str, str], name: str) -> None:
    """Each of them fails a test of the contract."""
    assert name in failed


def test_a_ledger_that_keeps_them_passes(failed: dict[str, str]) -> None:
    """What is planted is what fails: the ledger that it is planted in passes."""
    assert "True" not in failed
    assert len(CAUGHT) >= 12

"""Discord's roster keeps the shipped contract, over real sockets, and rosters that break one promise do not."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.mutant_rosters import MUTANTS
from support.rosters import DiscordContract

SUITE = Path(__file__).parents[1] / "support/mutant_rosters.py"
OPTIONS = ("-q", "--tb=no", "-rf", "-p", "no:cacheprovider")


class TestDiscord(DiscordContract):
    """Every promise."""


@pytest.fixture(scope="module")
def failed() -> dict[str, str]:
    """Run the contract against all mutants, in one process, and return what each failed."""
    command = [sys.executable, "-m", "pytest", str(SUITE), *OPTIONS]
    ended = subprocess.run(command, cwd=SUITE.parents[1], capture_output=True, text=True, check=False)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    return dict(re.findall(r"^FAILED \S+::Test(\w+)::(\S+)", ended.stdout, re.MULTILINE))


@pytest.mark.parametrize("name", [mutant.__name__ for mutant in MUTANTS])
def test_a_broken_promise_fails(failed: dict[str, str], name: str) -> None:
    """Each of them fails a test of the contract."""
    assert name in failed


def test_what_is_planted_is_what_fails(failed: dict[str, str]) -> None:
    """The roster that they are planted in passes."""
    assert "True" not in failed
    assert len(MUTANTS) >= 10

"""Both sources keep the shipped contract, over real sockets, and sources that break one promise do not."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.mutant_sources import PAGED, PLAIN
from trc_engage.adapters.lurkr import LurkrSource
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.testing import PagedSourceContract
from trc_engage.testing.boards import LurkrServer
from trc_engage.testing.mee6 import Mee6Server

SUITE = Path(__file__).parents[1] / "support/mutant_sources.py"
OPTIONS = ("-q", "--tb=no", "-rf", "-p", "no:cacheprovider", "-p", "support.first_failures")


class TestMee6(PagedSourceContract):
    """Every promise."""

    source_class, server_class = Mee6Source, Mee6Server


class TestLurkr(PagedSourceContract):
    """Every promise, by other facts."""

    source_class, server_class = LurkrSource, LurkrServer


@pytest.fixture(scope="module")
def failed() -> dict[str, str]:
    """Run the contract against all mutants, in one process, and return what each failed."""
    command = [sys.executable, "-m", "pytest", str(SUITE), *OPTIONS]
    ended = subprocess.run(command, cwd=SUITE.parents[1], capture_output=True, text=True, check=False)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    return dict(re.findall(r"^FAILED \S+::Test(\w+)::(\S+)", ended.stdout, re.MULTILINE))


@pytest.mark.parametrize("name", [mutant.__name__ for mutant in (*PAGED, *PLAIN)])
def test_a_broken_promise_fails(failed: dict[str, str], name: str) -> None:
    """Each of them fails a test of the contract."""
    assert name in failed


def test_what_is_planted_is_what_fails(failed: dict[str, str]) -> None:
    """The sources that they are planted in pass."""
    assert "True" not in failed
    assert len(PAGED) + len(PLAIN) >= 30

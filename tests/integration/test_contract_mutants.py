"""The proof of the contract: ledgers that break one promise each do not pass it (`mutant_ledgers`)."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from support.mutant_ledgers import CAUGHT, LET_THROUGH, OF_EVENTS, OF_ROSTERS, OF_THE_CLOCK, WithoutADoctor
from trc_engage import Engage, InvalidValue
from trc_engage.core.ports import Store

SUITE = Path(__file__).parents[1] / "support/mutant_ledgers.py"
OPTIONS = ("-q", "--tb=no", "-rf", "-p", "no:cacheprovider")


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run the shipped contract against all of them, in one process, and return what each failed."""
    base = tmp_path_factory.mktemp("mutants") / "base"
    command = [sys.executable, "-m", "pytest", str(SUITE), *OPTIONS, f"--basetemp={base}"]
    ended = subprocess.run(command, cwd=SUITE.parents[1], capture_output=True, text=True, check=False)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    return dict(re.findall(r"^FAILED \S+::Test(\w+)::(\S+)", ended.stdout, re.MULTILINE))


@pytest.mark.parametrize(
    "name", [mutant.__name__ for mutant in (*LET_THROUGH, *CAUGHT, *OF_EVENTS, *OF_ROSTERS, *OF_THE_CLOCK)]
)
def test_a_broken_promise_fails(failed: dict[str, str], name: str) -> None:
    """Each of them fails a test of the contract."""
    assert name in failed


@pytest.mark.parametrize("name", ["True", "WithoutADoctor"])
def test_a_ledger_that_keeps_them_passes(failed: dict[str, str], name: str) -> None:
    """What is planted is what fails: the ledger that it is planted in passes, also without the doctor's part."""
    assert name not in failed
    assert len(CAUGHT) >= 12


def test_a_ledger_without_the_doctors_part_is_not_audited() -> None:
    """All else can be done with it, and the error says what it would need."""
    engage = Engage(ledger=cast("Store", WithoutADoctor()), clock=lambda: datetime(2026, 3, 2, 9, tzinfo=UTC))
    engage.enroll("ada")
    engage.adjust("ada", points=3, key="fix:1", reason="a test", by="tester")
    assert engage.standing("ada").points == 3
    assert not engage.status().pending
    for ask in (engage.audit, engage.repair):
        with pytest.raises(InvalidValue, match=r"WithoutADoctor.*holdings, lines, irregularities"):
            ask()

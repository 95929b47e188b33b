"""Proof of the contracts: an adapter that breaks one promise fails the part of the contract about that promise."""

import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from mutants.catalogue import CATALOGUE, CONTRACTS
from mutants.ledgers import PARTS
from support.own_ledgers import WithoutADoctor
from trc_engage import Engage, InvalidValue
from trc_engage.core.ports import Store

SUITE = Path(__file__).parents[1] / "mutants/suite.py"
OPTIONS = ("-q", "--tb=no", "-rf", "-p", "no:cacheprovider", "-p", "support.first_failures")
PORTS = ("Facts", "Ledger", "RunBook", "Views", "Records", "XpSource", "PagedSource", "Roster")
OF_A_PORT_MIN = 15


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Test all broken adapters against the contracts, in one process, and return those that failed."""
    base = tmp_path_factory.mktemp("mutants") / "base"
    command = [sys.executable, "-m", "pytest", str(SUITE), *OPTIONS, f"--basetemp={base}"]
    ended = subprocess.run(command, cwd=SUITE.parents[1], capture_output=True, text=True, check=False)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    return set(re.findall(r"^FAILED \S+::(\w+)::", ended.stdout, re.MULTILINE))


@pytest.mark.parametrize("name", [one.name for one in CONTRACTS])
def test_a_broken_promise_fails(failed: set[str], name: str) -> None:
    """Each broken adapter fails a test of the part of the contract that is named for it."""
    assert name in failed


def test_every_port_has_been_broken_in_many_ways() -> None:
    """Each port has at least 15 broken adapters, all distinct, and each part of the ledger's contract catches one."""
    planted = Counter(one.room for one in CONTRACTS)
    assert {port: planted[port] >= OF_A_PORT_MIN for port in planted} == dict.fromkeys(PORTS, True)
    assert {one.caught_by for one in CONTRACTS} >= {part.__name__ for part in PARTS}
    assert len({(one.room, one.breaks) for one in CATALOGUE}) == len(CATALOGUE)


def test_a_ledger_without_the_doctors_part_is_not_audited() -> None:
    """A ledger without the doctor's part works, but cannot be audited or repaired; the error lists what is missing."""
    engage = Engage(ledger=cast("Store", WithoutADoctor()), clock=lambda: datetime(2026, 3, 2, 9, tzinfo=UTC))
    engage.enroll("ada")
    engage.adjust("ada", points=3, key="fix:1", reason="a test", by="tester")
    assert engage.standing("ada").points == 3
    assert not engage.status().pending
    for ask in (engage.audit, engage.repair):
        with pytest.raises(InvalidValue, match=r"WithoutADoctor.*holdings, lines, irregularities"):
            ask()

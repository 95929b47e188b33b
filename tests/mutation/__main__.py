"""Hunt all mutants, and compare the survivors with the list: `python -m mutation [core|usecases|posting|FILE …]`."""

import argparse
import importlib
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import trc_engage

from .operators import Mutant, mutants_of, statements_of
from .running import KILLED, Hunt

PACKAGE = Path(trc_engage.__file__).parent
TESTS = Path(__file__).parents[1]
LIST = Path(__file__).with_name("survivors.txt")
POSTING = "adapters/sql/posting.py"
QUICK = (
    "unit",
    "integration/test_doctor.py",
    "integration/test_source_contract.py::TestPlainFile",
    "integration/test_ledgers.py::TestMemoryLedger",
    "integration/test_ledgers.py::TestSqliteLedger",
    "integration/test_contract_mutants.py::test_a_ledger_without_the_doctors_part_is_not_audited",
    "integration/test_forgetting.py::test_nothing_is_left_of_200_people_in_the_file",
    "integration/test_keys.py",
    "integration/test_leases.py",
    "--deselect=tests/integration/test_leases.py::test_commands_in_a_row_ask_two_seconds_apart",
    "integration/test_notices_recorded.py",
    "integration/test_roster_stories.py",
    "integration/test_roster_troubles.py",
    "integration/test_webhook_ends.py",
)
OPTIONS = ("-q", "--no-header", "--assert=plain", "--tb=native", "-p", "no:cacheprovider", "--snapshot-warn-unused")
"""The reason of a failure does not matter, and only the forked processes use the snapshots."""


def files_of(names: Sequence[str]) -> Mapping[str, Path]:
    """Return the named files, and the files of the named rooms."""
    rooms = {"core": "core/**/*.py", "usecases": "usecases/**/*.py", "posting": POSTING}
    found = sorted(path for name in names for path in PACKAGE.glob(rooms.get(name, name)))
    return {str(path.relative_to(PACKAGE)): path for path in found}


def listed() -> dict[str, str]:
    """Return the known survivors with their reasons."""
    lines = [line for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return {key: why for key, _, why in (line.rpartition(" | ") for line in lines)}


def mutants(files: Mapping[str, Path]) -> list[Mutant]:
    """Return all mutants of the files."""
    found = [mutant for name, path in files.items() for mutant in mutants_of(path, name)]
    if POSTING in files:
        found += statements_of(vars(importlib.import_module("trc_engage.adapters.sql.posting")), POSTING)
    return found


def main() -> int:
    """Hunt, and print what survived."""
    parser = argparse.ArgumentParser(prog="python -m mutation")
    parser.add_argument("what", nargs="*", default=["core", "usecases", "posting"])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    asked = parser.parse_args()
    files = files_of(asked.what)
    hunt = Hunt(mutants(files), files, asked.jobs)
    os.chdir(TESTS)
    code = pytest.main([*OPTIONS, *QUICK], plugins=[hunt])
    if code != pytest.ExitCode.OK:
        return int(code)
    return tell(hunt.fates, {key: why for key, why in listed().items() if key.partition(" | ")[0] in files})


def tell(fates: Mapping[str, str], known: Mapping[str, str]) -> int:
    """Print the score, and the mutants that only one of the two lists has; return the exit code."""
    counted = Counter(fates.values())
    alive = {key: fate for key, fate in fates.items() if fate != KILLED}
    new, gone = sorted(alive.keys() - known.keys()), sorted(known.keys() - alive.keys())
    same = sum(why.startswith("same") for key, why in known.items() if key in alive)
    for key in new:
        print(f"{alive[key].upper()}, and not on the list: {key}")  # noqa: T201
    for key in gone:
        print(f"ON THE LIST, and gone: {key}")  # noqa: T201
    killed, meant = counted[KILLED], len(fates) - same
    print(  # noqa: T201
        f"{killed:,} of {len(fates):,} mutants are caught ({killed / len(fates):.1%}); "
        f"without the {same} that mean the same, {killed / meant:.1%}"
    )
    return int(bool(new or gone))


if __name__ == "__main__":
    sys.exit(main())

"""The present version and a newer one, each in its own processes; the newer one is the present tree plus a migration.

The added migration creates a table that the newer version updates with every award. The present version does not know
the table, so an award by it would leave the sums there wrong.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Self

import trc_engage

PRESENT = Path(trc_engage.__file__).parent.parent
MIGRATION = '''

NEWER = """
CREATE TABLE daily_balances (
    member_id {id} NOT NULL, day {day} NOT NULL, points {whole} NOT NULL, PRIMARY KEY (member_id, day)
){by_key};
INSERT INTO daily_balances SELECT member_id, day, sum(points) FROM entries GROUP BY member_id, day;
"""
MIGRATIONS = (*MIGRATIONS, NEWER)
SCHEMA_VERSION = len(MIGRATIONS)
'''
UNBALANCED_DAYS = """
SELECT count(*) FROM (SELECT member_id, day, sum(points) AS points FROM entries GROUP BY member_id, day) AS posted
LEFT JOIN daily_balances USING (member_id, day)
WHERE daily_balances.points IS NULL OR daily_balances.points <> posted.points
"""
"""How many of the members' days differ from the sum of their entries."""
MONTHLY = "        (ADD_TO_MONTHLY_BALANCE, [month_of(day), draft.member_id, draft.points]),\n"
DAILY = """        (
            "INSERT INTO daily_balances (member_id, day, points) VALUES (?, ?, ?) "
            "ON CONFLICT (member_id, day) DO UPDATE SET points = daily_balances.points + excluded.points",
            [draft.member_id, day, draft.points],
        ),
"""


@cache
def newer_tree() -> Path:
    """Return a folder with the next version of the package."""
    folder = Path(mkdtemp(prefix="engage-newer-"))
    package = folder / "trc_engage"
    shutil.copytree(PRESENT / "trc_engage", package, ignore=shutil.ignore_patterns("__pycache__"))
    schema = package / "adapters" / "sql" / "schema.py"
    before, found, after = schema.read_text().partition("SCHEMA_VERSION = len(MIGRATIONS)\n")
    assert found
    schema.write_text(before + found + MIGRATION + after)
    posting = package / "adapters" / "sql" / "posting.py"
    text = posting.read_text()
    assert MONTHLY in text
    posting.write_text(text.replace(MONTHLY, MONTHLY + DAILY))
    return folder


WORK = '''
import json, sys
from datetime import UTC, date, datetime
from trc_engage import Board, Engage, SourceError, __file__
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sqlite import SqliteLedger

kind, address, schema = sys.argv[1:]
ledger = SqliteLedger.open(address) if kind == "sqlite" else PostgresLedger.open(address, schema=schema)


class Source:
    """A board that is read when the test says so."""

    def read(self, _sought):
        print(json.dumps("reading"), flush=True)
        xp = json.loads(sys.stdin.readline())
        if xp is None:
            raise SourceError("down", "the board is away")
        return Board(xp, whole=True, rows=30, pages=1)


def report():
    """All that is counted, everywhere that it is."""
    entries = ledger.feed(after=0, limit=100_000)
    march = date(2026, 3, 1)
    return {
        "keys": [entry.key for entry in entries if entry.key],
        "points": {
            one.member_id: [
                one.points,
                sum(entry.points for entry in entries if entry.member_id == one.member_id),
                *(ledger.rank_of(one.member_id, month).points for month in (None, march)),
            ]
            for one in engage.members()
        },
        "leaderboard": sum(rank.points for rank in engage.leaderboard()),
        "breaches": [breach.message for breach in engage.audit().breaches],
        "rebalanced": len(ledger.rebalance()),
    }


at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
engage = Engage(ledger=ledger, source=Source(), clock=lambda: at)
print(json.dumps(__file__), flush=True)
for line in sys.stdin:
    name, values, options = json.loads(line)
    if name == "award":
        options["at"] = at
    try:
        answer = ["done", report() if name == "report" else str(getattr(engage, name)(*values, **options))]
    except Exception as error:
        answer = ["refused", f"{type(error).__name__}: {error}"]
    print(json.dumps(answer), flush=True)
'''


class Version:
    """A process of one version that has a store open."""

    def __init__(self, folder: Path, kind: str, address: str, schema: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORK, kind, address, schema],
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert str(self.heard()).startswith(str(folder))

    def say(self, value: Any) -> None:
        """Send a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(value)}\n")
        self.process.stdin.flush()

    def heard(self) -> Any:
        """Return the next line."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def do(self, name: str, *values: Any, **options: Any) -> tuple[str, Any]:
        """Call a method of its `Engage`; return whether it was done or refused, and the answer."""
        self.say([name, values, options])
        outcome, answer = self.heard()
        return outcome, answer

    def award(self, member_id: str, key: str) -> tuple[str, Any]:
        """Award 3 points."""
        return self.do("award", member_id, source="benchmark", points=3, key=key)

    def assert_counted_everywhere(self, keys: set[str] | None = None) -> None:
        """Assert that entries, balances, months, leaderboard, feed and doctor count the same awards of 3 points."""
        outcome, report = self.do("report")
        assert outcome == "done", report
        for counts in report["points"].values():
            assert len(set(counts)) == 1, report["points"]
        assert (report["breaches"], report["rebalanced"]) == ([], 0)
        if keys is not None:
            assert sorted(report["keys"]) == sorted(keys)
            assert report["leaderboard"] == 3 * len(keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

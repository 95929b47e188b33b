"""A store with a bit of everything in it, and what a hand can do to its file."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from community import IDS, MONDAY, Community, opened
from trc_engage.core.incidents import Told
from trc_engage.core.postings import Posting

DAY = timedelta(days=1)


@cache
def sound_file() -> bytes:
    """Return a store of ten days: seven members, all kinds of entries, statuses, runs, slots, a claim and a notice."""
    with TemporaryDirectory() as folder:
        with opened("sqlite", Path(folder)) as ledger:
            _live(Community(ledger))
        return Path(folder, "engage.db").read_bytes()


def _live(community: Community) -> None:
    engage = community.engage
    community.enroll("ada", "bo", "cy", "dee", "eli", "fay", "gus")
    community.sync(ada=1_000, bo=500, cy=3_000, eli=50, fay=70, gus=80)
    for number in range(10):
        community.sync(timedelta(hours=1), ada=1_250 + 150 * number, bo=560 + 60 * number, dee=120 * number)
        community.award("bo", f"run:{number}")
        engage.run_due()
        community.now = datetime.combine(community.now.date() + DAY, time(), UTC)
        engage.run_due()
        engage.settle()
        community.now += timedelta(hours=9)
    community.sync(cy=2_750)
    engage.reverse("run:3", reason="withdrawn", by="admin")
    engage.adjust("ada", points=-3, key="fix:1", reason="typo", by="admin")
    engage.excuse((community.now - 3 * DAY).date(), reason="a holiday")
    engage.leave("eli")
    engage.rejoin("eli")
    community.sync(eli=20)
    engage.forget("fay")
    engage.unlink("gus")
    engage.enroll("hal", discord_id=IDS["gus"])
    community.ledger.post(Posting(community.now, told=[Told("log", "source", "alert", MONDAY, community.now)]))
    community.ledger.claim("run", community.now, community.now + DAY)


@frozen
class Damage:
    """What was done to the file, and how the doctor calls it."""

    name: str
    do: str | Callable[[Path], None]
    """SQL, under which neither triggers nor constraints are in the way, or what is done to the file itself."""
    check: str
    told: str
    """What its message says."""

    def on(self, path: Path) -> None:
        """Do it; what had to be put aside for it is put back."""
        if not isinstance(self.do, str):
            self.do(path)
            return
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            script = self.do
            for short, long in PICKED.items():
                script = script.replace(short, long)
            connection.executescript(script)
            for _, sql in triggers:
                connection.execute(sql)


def _by_hand(statement: str) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.executescript(f"PRAGMA writable_schema = ON; {statement}; PRAGMA writable_schema = RESET;")

    return do


def _overwritten(table: str, offset: int, with_bytes: bytes) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", [table]).fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
        data = bytearray(path.read_bytes())
        start = (root - 1) * size + offset
        data[start : start + len(with_bytes)] = with_bytes
        path.write_bytes(data)

    return do


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4_096])


PICKED = {
    "GAIN": "(SELECT max(position) FROM entries WHERE kind = 'gain' AND member_id = 'ada')",
    "AWARD": "(SELECT position FROM entries WHERE key = 'run:5')",
    "RISE": "account_id = 1 AND day = '2026-03-05'",
}
"""What statements below say in short."""

DAMAGES = (
    Damage("an entry removed", "DELETE FROM entries WHERE position = 9", "order", "the number of entries"),
    Damage(
        "the last entry removed", "DELETE FROM entries WHERE kind = 'rebase'", "order", "the last position ever given"
    ),
    Damage(
        "the last entry removed, and the count with it",
        "DELETE FROM entries WHERE kind = 'rebase'; "
        "UPDATE sqlite_sequence SET seq = (SELECT max(position) FROM entries) WHERE name = 'entries'",
        "account",
        "its baseline",
    ),
    Damage(
        "a gain removed, and the gap closed",
        "DELETE FROM entries WHERE position = GAIN; UPDATE entries SET position = position - 1 "
        "WHERE position > GAIN AND position > 60; UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'entries'",
        "run",
        "the sum of its entries",
    ),
    Damage(
        "an entry inserted",
        "INSERT INTO entries SELECT NULL, kind, member_id, source, points, day, at, silent, account_id, xp_before, "
        "xp_after, baseline_before, baseline_after, NULL, NULL, NULL, NULL FROM entries WHERE position = GAIN",
        "chain",
        "the XP before it",
    ),
    Damage("more points for a gain", "UPDATE entries SET points = 9 WHERE position = GAIN", "entry", "the amount"),
    Damage(
        "more points for an award", "UPDATE entries SET points = 99 WHERE position = AWARD", "balance", "member 'bo'"
    ),
    Damage("an award that takes", "UPDATE entries SET points = -1 WHERE position = AWARD", "entry", "more than 0"),
    Damage("an award for Discord", "UPDATE entries SET source = 'discord' WHERE position = AWARD", "entry", "source"),
    Damage("an award without a key", "UPDATE entries SET key = NULL WHERE position = AWARD", "entry", "the key"),
    Damage("an award on another day", "UPDATE entries SET day = '2026-03-01' WHERE position = AWARD", "entry", "day"),
    Damage("a silent gain", "UPDATE entries SET silent = 1 WHERE position = GAIN", "entry", "expected loud"),
    Damage("a gain of another kind", "UPDATE entries SET kind = 'rebase' WHERE position = GAIN", "entry", "rebase"),
    Damage("a gain that hangs in the air", "UPDATE entries SET xp_before = 7 WHERE position = GAIN", "chain", "XP"),
    Damage(
        "a gain of somebody else", "UPDATE entries SET member_id = 'bo' WHERE position = GAIN", "chain", "member 'bo'"
    ),
    Damage("a gain of nobody", "UPDATE entries SET member_id = 'zoe' WHERE position = GAIN", "entry", "'zoe'"),
    Damage("an unknown kind", "UPDATE entries SET kind = 'gift' WHERE position = GAIN", "unreadable", "'gift'"),
    Damage(
        "an instant in another way",
        "UPDATE entries SET at = replace(at, '+00:00', 'Z') WHERE position = GAIN",
        "unreadable",
        "an instant such as",
    ),
    Damage("a day that is none", "UPDATE entries SET day = '2026-02-30' WHERE position = GAIN", "unreadable", "day"),
    Damage(
        "a text that is none",
        "UPDATE entries SET source = CAST(x'ff' AS TEXT) WHERE position = AWARD",
        "unreadable",
        "source",
    ),
    Damage("half an XP change", "UPDATE entries SET xp_after = NULL WHERE position = GAIN", "unreadable", "half"),
    Damage("a reversal of less", "UPDATE entries SET points = -4 WHERE kind = 'reversal'", "reversal", "the amount"),
    Damage("a reversal of nothing", "UPDATE entries SET reverses = 1 WHERE kind = 'reversal'", "reversal", "no award"),
    Damage("a rule of keys taken away", "DROP INDEX entries_of_a_member", "schema", "index entries_of_a_member"),
    Damage(
        "XP raised",
        "UPDATE discord_activity SET xp_total = xp_total + 400, xp_high = xp_high + 400 WHERE account_id = 1",
        "account",
        "floor",
    ),
    Damage(
        "a baseline moved", "UPDATE discord_activity SET xp_baseline = 990 WHERE account_id = 1", "account", "account 1"
    ),
    Damage("XP posted", "UPDATE discord_activity SET xp_posted = 1 WHERE account_id = 1", "account", "last entry"),
    Damage("a high that is none", "UPDATE discord_activity SET xp_high = 0 WHERE account_id = 1", "account", "higher"),
    Damage(
        "a version turned back", "UPDATE discord_activity SET version = 1 WHERE account_id = 1", "account", "version"
    ),
    Damage(
        "opened and not",
        "UPDATE discord_activity SET next_reading = 'opens' WHERE account_id = 1",
        "account",
        "account 1",
    ),
    Damage(
        "tracked and waiting",
        "UPDATE discord_activity SET status = 'waiting' WHERE account_id = 1",
        "account",
        "account 1",
    ),
    Damage("an account removed", "DELETE FROM discord_activity WHERE account_id = 1", "account", "unknown"),
    Damage("a balance changed", "UPDATE balances SET points = 7 WHERE member_id = 'bo'", "balance", "member 'bo'"),
    Damage("a balance removed", "DELETE FROM balances WHERE member_id = 'bo'", "balance", "is 0, expected"),
    Damage("a balance of nobody", "INSERT INTO balances VALUES ('zoe', 'benchmark', 5)", "balance", "'zoe'"),
    Damage(
        "a balance of a month changed",
        "UPDATE monthly_balances SET points = 7 WHERE member_id = 'bo'",
        "balance",
        "member 'bo': the balance of 2026-03 is 7, expected",
    ),
    Damage(
        "a balance of a month removed",
        "DELETE FROM monthly_balances WHERE member_id = 'bo'",
        "balance",
        "the balance of 2026-03 is 0, expected",
    ),
    Damage(
        "a balance of a month to come",
        "INSERT INTO monthly_balances VALUES ('2026-04-01', 'bo', 5)",
        "balance",
        "the balance of 2026-04 is 5, expected 0",
    ),
    Damage(
        "a balance of no month", "INSERT INTO monthly_balances VALUES ('soon', 'bo', 5)", "balance", "balance of soon"
    ),
    Damage("the balances of months dropped", "DROP TABLE monthly_balances", "unreadable", "monthly_balances"),
    Damage("a streak changed", "UPDATE streaks SET length = 1 WHERE member_id = 'bo'", "streak", "member 'bo'"),
    Damage("a longest streak changed", "UPDATE streaks SET longest = 99 WHERE member_id = 'bo'", "streak", "99"),
    Damage("a streak removed", "DELETE FROM streaks WHERE member_id = 'bo'", "streak", "none (longest 0)"),
    Damage("a streak garbled", "UPDATE streaks SET last = 'soon' WHERE member_id = 'bo'", "streak", "'soon'"),
    Damage(
        "unlinked and not", "UPDATE discord_activity SET unlinked_at = NULL WHERE member_id = 'fay'", "link", "instant"
    ),
    Damage(
        "linked twice",
        "DROP INDEX one_account_for_a_discord_id; "
        "UPDATE discord_activity SET discord_id = (SELECT discord_id FROM discord_activity WHERE account_id = 1) "
        "WHERE account_id = 2",
        "link",
        "account 1 has it",
    ),
    Damage(
        "a Discord id that is none",
        "UPDATE discord_activity SET discord_id = 'Ada#1' WHERE account_id = 1",
        "link",
        "no Discord id",
    ),
    Damage("a forgotten name", "UPDATE members SET name = 'Fay' WHERE member_id = 'fay'", "member", "'fay'"),
    Damage(
        "a forgotten Discord id",
        "UPDATE discord_activity SET discord_id = '123' WHERE member_id = 'fay'",
        "link",
        "somebody forgotten",
    ),
    Damage("a member removed", "DELETE FROM members WHERE member_id = 'bo'", "link", "unknown"),
    Damage(
        "an enrolment garbled", "UPDATE members SET enrolled_at = 'x' WHERE member_id = 'bo'", "unreadable", "members"
    ),
    Damage(
        "a window turned round",
        "UPDATE discord_days SET opens_at = '2026-03-20T00:00:00.000000+00:00' WHERE RISE",
        "evidence",
        "opens before it closes",
    ),
    Damage(
        "a day outside its window",
        "UPDATE discord_days SET day = '2026-02-05' WHERE RISE",
        "evidence",
        "counts for that day",
    ),
    Damage(
        "evidence of somebody else",
        "UPDATE discord_days SET member_id = 'bo' WHERE RISE",
        "evidence",
        "another, expected its own",
    ),
    Damage("evidence removed", "DELETE FROM discord_days WHERE RISE", "evidence", "missing"),
    Damage(
        "a window of no sync",
        "UPDATE discord_days SET closes_at = '2026-03-05T23:00:00.000000+00:00' WHERE RISE",
        "evidence",
        "their sync",
    ),
    Damage(
        "a window garbled", "UPDATE discord_days SET closes_at = 'late' WHERE account_id = 1", "unreadable", "'late'"
    ),
    Damage("a settled day taken out", "DELETE FROM settled_days WHERE day = '2026-03-05'", "calendar", "2026-03-06"),
    Damage(
        "a day settled too early",
        "UPDATE settled_days SET settled_at = '2026-03-05T09:00:00.000000+00:00' WHERE day = '2026-03-05'",
        "calendar",
        "settled at",
    ),
    Damage(
        "a Sunday excused",
        "INSERT INTO excusals (day, reason, at) SELECT '2026-03-08', 'Sunday', at FROM excusals",
        "calendar",
        "Sunday",
    ),
    Damage("an excusal garbled", "UPDATE excusals SET day = 'Christmas'", "calendar", "'Christmas'"),
    Damage(
        "syncs that go back", "UPDATE runs SET at = '2026-03-01T00:00:00.000000+00:00' WHERE run_id = 9", "run", "9"
    ),
    Damage("a sync that says more", "UPDATE runs SET points = points + 1 WHERE run_id = 9", "run", "the sum of"),
    Damage("a failure without a reason", "UPDATE runs SET outcome = 'failed' WHERE run_id = 9", "run", "went wrong"),
    Damage(
        "a slot between slots",
        "INSERT INTO slots VALUES ('2026-03-02T09:07:00.000000+00:00', 'synced', '2026-03-02T09:07:00.000000+00:00')",
        "slot",
        "a quarter of an hour",
    ),
    Damage("a notice garbled", "UPDATE told SET since = 'then'", "notice", "'then'"),
    Damage("a claim without an end", "UPDATE claims SET until = 'never'", "claim", "'never'"),
    Damage("a claim of nobody", "UPDATE claims SET owner = 'me'", "claim", "host:process:token"),
    Damage("a version of the future", "PRAGMA user_version = 999", "file", "user_version is 999"),
    Damage("a file of another program", "PRAGMA application_id = 1", "file", "application_id"),
    Damage(
        "a trigger removed", _by_hand("DROP TRIGGER entries_are_never_changed"), "schema", "entries_are_never_changed"
    ),
    Damage("a table of somebody else", "CREATE TABLE theirs (id INTEGER)", "schema", "expected none"),
    Damage(
        "a rule taken out",
        _by_hand(
            "UPDATE sqlite_schema SET sql = replace(sql, ' CHECK (xp_total >= 0)', '') WHERE name = 'discord_activity'"
        ),
        "schema",
        "another",
    ),
    Damage("a table dropped", "DROP TABLE balances", "unreadable", "no such table"),
    Damage(
        "an index that is another's",
        _by_hand(
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema "
            "WHERE name = 'accounts_of_a_member') WHERE name = 'awards_of_a_member'"
        ),
        "integrity",
        "SQLite's own check",
    ),
    Damage("a page of rubbish", _overwritten("entries", 0, b"\xa5" * 512), "integrity", "malformed"),
    Damage(
        "a bit flipped in an index",
        _overwritten("entries_of_a_member", 4_000, b"\x00\xff\x7f"),
        "integrity",
        "malformed",
    ),
    Damage("a file cut off", _cut, "integrity", "malformed"),
    Damage(
        "a count turned back", "UPDATE sqlite_sequence SET seq = 3 WHERE name = 'entries'", "order", "ever given is 3"
    ),
)

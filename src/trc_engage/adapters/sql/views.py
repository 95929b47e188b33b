"""The `Views` port: history, feed, search by name, and the facts behind explanations."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, datetime
from operator import itemgetter

from ...core.days import ONE_DAY
from ...core.model import Decision, Entry
from ...core.records import Check, Excusal, MembershipEvent
from ...core.reports import Found, StreakChange, Tally
from ...core.story import GoodRun
from ...core.streaks import Milestone
from ...core.validation import sought_words, words_of
from . import Connection, Database, Record, stamp
from .leaderboard import Leaderboard
from .queries import ENTRY, EXCUSALS, UNSEEN, entry_of_row

EVENTS = Record(MembershipEvent, "membership_events")
CHANGES = Record(StreakChange, "streak_changes")
LENGTHS = Record(Milestone, "lengths_reached", threshold="length")
SYNC_BEFORE = "(SELECT at FROM runs WHERE outcome = 'synced' AND at < entries.at ORDER BY at DESC LIMIT 1)"
RESETS = f"""
{ENTRY.replace("FROM entries", f", {SYNC_BEFORE} FROM entries")}
WHERE member_id = ? AND kind IN ('opening', 'rebase') ORDER BY position
"""
GOOD_RUNS = "SELECT at, missed, decision, actor, reason FROM runs WHERE outcome = 'synced'"
SETTLED = "SELECT day, settled_at FROM settled_days WHERE day BETWEEN ? AND ? ORDER BY day"
OPENED_ON = "SELECT day FROM entries WHERE account_id = ? AND kind = 'opening' ORDER BY position LIMIT 1"
READING = "SELECT xp FROM readings WHERE day = ? AND account_id = ?"
CHECKS = Record(Check, "roster_checks")
FORGET_CHECKS = """
DELETE FROM roster_checks WHERE account_id IN (SELECT account_id FROM discord_activity WHERE unlinked_at IS NOT NULL)
"""
"""Once the link is gone, the dates of being on the server are no longer needed."""

WORDS = ("word", "member_id")

BY_ID = """
SELECT member_id, name FROM members WHERE member_id IN (
    SELECT member_id FROM members WHERE member_id = :text
    UNION ALL SELECT member_id FROM discord_activity WHERE discord_id = :text AND unlinked_at IS NULL
) ORDER BY member_id
"""
# Reads in key order and stops at the limit, so each member counts only at the first matching word.
BY_NAME = """
SELECT member_id, name FROM name_words AS met JOIN members USING (member_id)
WHERE word >= :from0 AND word < :to0 AND NOT is_hidden AND NOT EXISTS (
    SELECT 1 FROM name_words AS earlier
    WHERE earlier.member_id = met.member_id AND earlier.word >= :from0 AND earlier.word < met.word
){others}
ORDER BY word, member_id LIMIT :limit
"""
ALSO = """ AND EXISTS (
    SELECT 1 FROM name_words AS other
    WHERE other.member_id = met.member_id AND other.word >= :from{number} AND other.word < :to{number}
)"""
BEYOND = "\U0010ffff"
"""Sorts after any continuation of a word, and occurs in none."""


class Views(Leaderboard):
    """The `Views` port."""

    def history(
        self, member_id: str, /, *, limit: int, before: int | None = None, source: str | None = None
    ) -> Sequence[Entry]:
        below = "" if before is None else "AND position < :before"
        of_source = "" if source is None else "AND source = :source"
        values = {"member": member_id, "before": before, "source": source, "limit": limit}
        among = f"WHERE member_id = :member {below} {of_source} ORDER BY position DESC LIMIT :limit"
        return self._read(entry_of_row, f"{ENTRY} {among}", values)

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        return self._read(entry_of_row, f"{ENTRY} WHERE position > ? ORDER BY position LIMIT ?", [after, limit])

    def find(self, text: str, /, *, limit: int) -> Sequence[Found]:
        sought = sought_words(text)
        with self._database.connection() as connection:
            found = connection.execute(BY_ID, {"text": text}).fetchall()
            if sought:
                others = "".join(ALSO.format(number=number) for number in range(1, len(sought)))
                values: dict[str, str | int] = {"limit": limit + len(found)}
                for number, word in enumerate(sought):
                    values |= {f"from{number}": word, f"to{number}": word + BEYOND}
                named = connection.execute(BY_NAME.format(others=others), values).fetchall()
                found += [row for row in named if row not in found] if found else named
        return [Found(*row) for row in found[:limit]]

    def checks(self, member_id: str | None = None, /) -> Sequence[Check]:
        mine = "" if member_id is None else "AND member_id = ?"
        linked = f"{CHECKS.select} JOIN discord_activity USING (account_id) WHERE unlinked_at IS NULL {mine}"
        return self._read(CHECKS.value, f"{linked} ORDER BY account_id", [member_id] if mine else [])

    def never_seen(self) -> Sequence[str]:
        return self._read(itemgetter(0), f"SELECT member_id {UNSEEN} ORDER BY member_id")

    def resets(self, member_id: str, /) -> Sequence[tuple[Entry, datetime | None]]:
        with self._database.snapshot() as connection:
            rows = connection.execute(RESETS, [member_id]).fetchall()
        return [(entry_of_row(row[:-1]), row[-1] and datetime.fromisoformat(row[-1])) for row in rows]

    def good_runs(self, since: datetime, until: datetime, /) -> Sequence[GoodRun]:
        with self._database.snapshot() as connection:
            rows = [
                *connection.execute(f"{GOOD_RUNS} AND at < ? ORDER BY at DESC LIMIT 1", [stamp(since)]),
                *connection.execute(f"{GOOD_RUNS} AND at >= ? AND at < ? ORDER BY at", [stamp(since), stamp(until)]),
                *connection.execute(f"{GOOD_RUNS} AND at >= ? ORDER BY at LIMIT 1", [stamp(until)]),
            ]
        return [
            GoodRun(datetime.fromisoformat(at), missed, Decision(*decided) if decided[0] else None)
            for at, missed, *decided in rows
        ]

    def settled(self, first_day: date, last_day: date, /) -> Mapping[date, datetime]:
        rows = self._read(tuple, SETTLED, [first_day.isoformat(), last_day.isoformat()])
        return {date.fromisoformat(day): datetime.fromisoformat(at) for day, at in rows}

    def xp_read(self, account_ids: Collection[int], day: date, /) -> int | None:
        with self._database.snapshot() as connection:
            for account_id in sorted(account_ids, reverse=True):
                opened = connection.execute(OPENED_ON, [account_id]).fetchone()
                on = day
                # Day by day, because the key begins with the day; usually it is one of the last days.
                while opened and on >= date.fromisoformat(opened[0]):
                    if row := connection.execute(READING, [on.isoformat(), account_id]).fetchone():
                        return int(row[0])
                    on -= ONE_DAY
        return None

    def streak_changes(self, member_id: str, /) -> Sequence[StreakChange]:
        return self._read(CHANGES.value, f"{CHANGES.select} WHERE member_id = ? ORDER BY number", [member_id])

    def lengths_reached(self, lengths: Set[int], /, *, after: int, limit: int) -> Sequence[Milestone]:
        among = f"WHERE number > ? AND length IN ({', '.join('?' * len(lengths)) or 'NULL'}) ORDER BY number LIMIT ?"
        return self._read(LENGTHS.value, f"{LENGTHS.select} {among}", [after, *lengths, limit])

    def events(self, member_id: str | None, /, *, after: int = 0, limit: int = 10_000) -> Sequence[MembershipEvent]:
        mine = [] if member_id is None else [member_id]
        among = f"WHERE {'member_id = ? AND' if mine else ''} number > ? ORDER BY number LIMIT ?"
        return self._read(EVENTS.value, f"{EVENTS.select} {among}", [*mine, after, limit])

    def excusals(self, member_id: str | None = None, /) -> Sequence[Excusal]:
        mine = [] if member_id is None else [member_id]
        among = "WHERE member_id IS NULL OR member_id = ?" if mine else ""
        return self._read(EXCUSALS.value, f"{EXCUSALS.select} {among} ORDER BY number", mine)

    def tally(self) -> Tally:
        with self._database.snapshot() as connection:
            (members,) = connection.execute("SELECT count(*) FROM members").fetchone()
            accounts = connection.execute("SELECT status, count(*) FROM discord_activity GROUP BY status")
            by_status = dict(accounts.fetchall())
            (entries,) = connection.execute("SELECT count(*) FROM entries").fetchone()
            size_bytes = self._database.size_bytes(connection)
            (unseen,) = connection.execute(f"SELECT count(*) {UNSEEN}").fetchone()
        return Tally(self._database.address, size_bytes, members, by_status, entries, unseen)


def replace_words(
    database: Database, connection: Connection, gone: Iterable[str], named: Iterable[tuple[str, str | None]]
) -> None:
    """Delete the name words of `gone` members, and insert those of `named` ones."""
    connection.executemany("DELETE FROM name_words WHERE member_id = ?", [(member_id,) for member_id in gone])
    if rows := sorted(rows_of(named)):
        database.merge(connection, "name_words", WORDS, rows, "")


def rows_of(named: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, str]]:
    """Yield the `name_words` rows of members' names."""
    return ((word, member_id) for member_id, name in named for word in words_of(name or ""))

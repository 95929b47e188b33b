"""What was done under a clock that ran ahead: found, and taken back (R22)."""

from datetime import date, datetime

from attrs import evolve

from ...core.days import settled_before
from ...core.posting import Posting
from ...core.records import Ahead, ClockDecision
from ...core.validation import AHEAD_MAX
from .database import Connection, Database, Record, SqlStore, inserting, stamp
from .queries import ENTRY, entry_of_row

DECISIONS = Record(ClockDecision, "clock_decisions")
DECIDE = inserting(DECISIONS.table, DECISIONS.columns)
AHEAD = """
SELECT (SELECT count(*) FROM runs WHERE outcome = 'synced' AND at > :at),
    (SELECT count(*) FROM settled_days WHERE settled_at > :at),
    (SELECT max(day) FROM settled_days WHERE settled_at <= :at),
    (SELECT max(at) FROM runs WHERE outcome = 'synced' AND at <= :at),
    (SELECT min(enrolled_at) FROM members),
    (SELECT count(*) FROM members WHERE enrolled_at > :at) + (SELECT count(*) FROM slots WHERE at > :at)
        + (SELECT count(*) FROM clock_decisions
           WHERE at > :at AND number = (SELECT max(number) FROM clock_decisions))
"""
RISES_AHEAD = """
SELECT account_id, min(opens_at), min(linked_at) FROM discord_days JOIN discord_activity USING (account_id)
WHERE closes_at > ? GROUP BY account_id
"""
AWARDS_AHEAD = f"""
{ENTRY} WHERE kind = 'award' AND at > ? AND position NOT IN (SELECT reverses FROM entries WHERE reverses IS NOT NULL)
ORDER BY position
"""
EARLIER = "{0} = CASE WHEN {0} > :at THEN :at ELSE {0} END"
# What failed since the last good sync that is left belongs to failures in a row that are over. Who was opened in that
# time was not looked for by that sync.
BRING_BACK = f"""
UPDATE runs SET outcome = 'undone' WHERE outcome = 'synced' AND at > :at;
UPDATE runs SET counts = false WHERE outcome = 'failed'
    AND run_id > (SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced');
DELETE FROM settled_days WHERE settled_at > :at;
DELETE FROM discord_days WHERE closes_at > :at;
INSERT INTO readings (day, account_id, xp)
    SELECT CASE WHEN false THEN day ELSE :day END, account_id, xp FROM readings AS last
    WHERE day > :day AND NOT EXISTS (
        SELECT 1 FROM readings AS later WHERE later.account_id = last.account_id AND later.day > last.day
    )
    ON CONFLICT (day, account_id) DO UPDATE SET xp = excluded.xp;
DELETE FROM readings WHERE day > :day;
DELETE FROM slots WHERE slot > :at OR at > :at;
DELETE FROM requests WHERE task = 'roster' OR next_at > :at;
DELETE FROM leases WHERE taken_at > :at;
DELETE FROM roster_checks WHERE asked_at > :at;
UPDATE members SET version = version + 1, enrolled_at = :at WHERE enrolled_at > :at;
UPDATE discord_activity SET {EARLIER.format("linked_at")}, {EARLIER.format("unlinked_at")}
    WHERE linked_at > :at OR unlinked_at > :at;
UPDATE discord_activity SET version = version + 1, window_from = linked_at
    WHERE status IN ('tracked', 'absent') AND window_from IS NULL
    AND account_id IN (SELECT account_id FROM entries WHERE kind = 'opening' AND at > :at);
UPDATE discord_activity SET version = version + 1, {EARLIER.format("window_from")}, {EARLIER.format("rose_at")}
    WHERE window_from > :at OR rose_at > :at
"""
DAYS = ("day", "member_id", "account_id", "opens_at", "closes_at")


class Clocks(SqlStore):
    """That part of the `RunBook` port."""

    def ahead(self, at: datetime, /) -> Ahead:
        with self._database.snapshot() as connection:
            self._database.extend_timeout(connection)
            syncs, days, settled, good_at, first, others = connection.execute(AHEAD, {"at": stamp(at)}).fetchone()
            rows = connection.execute(RISES_AHEAD, [stamp(at)]).fetchall()
            awards = [entry_of_row(row) for row in connection.execute(AWARDS_AHEAD, [stamp(at + AHEAD_MAX)])]
        first_at = first and min(datetime.fromisoformat(first), at)
        through = date.fromisoformat(settled) if settled else settled_before(first_at)
        rises = {
            number: (datetime.fromisoformat(opens), datetime.fromisoformat(linked)) for number, opens, linked in rows
        }
        return Ahead(syncs, days, through, good_at and datetime.fromisoformat(good_at), rises, awards, others)


def decide(database: Database, connection: Connection, posting: Posting, decision: ClockDecision) -> None:
    """Put a decision on record; a repair takes from the tables what lies beyond its instant."""
    at = stamp(posting.at)
    if decision.kind == "repaired":
        database.extend_timeout(connection)
        for statement in BRING_BACK.split(";"):
            connection.execute(statement, {"at": at, "day": at[:10]})
        members = dict(connection.execute("SELECT account_id, member_id FROM discord_activity").fetchall())
        rows = [
            (day.isoformat(), members[account_id], account_id, stamp(window.opens_at), stamp(window.closes_at))
            for account_id, window in posting.evidence.items()
            for day in window.days
        ]
        if rows:
            database.merge(connection, "discord_days", DAYS, rows, "ON CONFLICT DO NOTHING")
    (position,) = connection.execute("SELECT coalesce(max(position), 0) FROM entries").fetchone()
    connection.execute(DECIDE, DECISIONS.row(evolve(decision, position=position)))

"""Queries of evidence, days, streaks, members, entries and standings."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from ...core.days import Calendar, settled_before
from ...core.model import DISCORD, DiscordActivity, Entry, Evidence, Member, XpChange
from ...core.records import Excusal, excused_alone
from ...core.reports import ALL, DiscordStanding, MemberFacts, Selection, Standing
from ...core.streaks import Activity, DayRecord, Streak
from . import Connection, Record, Row, Rows, SqlStore, Statement

AMONG_EVIDENCE_BY_HAND = "kind IN ('award', 'reversal') AND"
"""SQLite uses the partial index of evidence by hand only for exactly this condition."""
STANDING = """
kind = 'award' AND counts_as_activity AND NOT EXISTS (SELECT 1 FROM entries WHERE reverses = award.position)
"""

AWARD_EVIDENCE = f"""
SELECT day, source, position FROM entries AS award
WHERE member_id = :member AND day BETWEEN :first AND :last AND {STANDING}
"""

STREAKS = Record(Streak, "streaks")
STREAKS_OF = "SELECT member_id, coalesce(version, 0), last, coalesce(length, 0), coalesce(longest, 0) FROM"
ACTIVE_ON_DISCORD = f"{STREAKS_OF} discord_days LEFT JOIN streaks USING (member_id) WHERE day = ?"
ACTIVE_ELSEWHERE = f"""
{STREAKS_OF} entries AS award LEFT JOIN streaks USING (member_id)
WHERE {AMONG_EVIDENCE_BY_HAND} day = ? AND {STANDING}
"""

DAYS_ON_DISCORD = "SELECT day, member_id FROM discord_days WHERE day <= ?"
DAYS_ELSEWHERE = f"""
SELECT day, member_id FROM entries AS award
WHERE {AMONG_EVIDENCE_BY_HAND} day <= ? AND {STANDING}
"""

REVISION_OF_A_DAY = """
SELECT (SELECT count(*) FROM discord_days WHERE day = :day)
     + (SELECT count(*) FROM entries WHERE kind IN ('award', 'reversal') AND day = :day)
"""

REVISION = """
SELECT (SELECT coalesce(max(position), 0) FROM entries)
     + (SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced')
"""

# The first row of an index is planned faster this way than as max(…).
CALENDAR = """
SELECT (SELECT day FROM settled_days ORDER BY day DESC LIMIT 1),
    (SELECT enrolled_at FROM members ORDER BY enrolled_at LIMIT 1),
    coalesce((SELECT number FROM excusals ORDER BY number DESC LIMIT 1), 0)
"""
EXCUSALS = Record(Excusal, "excusals")
EXCUSED = "SELECT day, is_excused, member_id FROM excusals WHERE member_id IS NULL OR member_id = ? ORDER BY number"
EXCUSED_ALONE = f"{EXCUSALS.select} WHERE day <= ? AND member_id IS NOT NULL ORDER BY number"
EXCUSED_ALONE_ON = f"{EXCUSALS.select} WHERE day = ? AND member_id IS NOT NULL ORDER BY number"


class Days(SqlStore):
    """The `Ledger` port's queries of evidence, days and streaks."""

    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[Evidence]:
        values = {"member": member_id, "first": first_day.isoformat(), "last": last_day.isoformat()}
        statements = (AWARD_EVIDENCE, self._database.discord_evidence)
        with self._database.snapshot() as connection:
            return _evidence(*connection.execute_all([(statement, values) for statement in statements]))

    def calendar(self, member_id: str | None = None, /) -> Calendar:
        with self._database.snapshot() as connection:
            return calendar_of(connection, member_id)

    def day_record(self, day: date, /) -> DayRecord:
        with self._database.snapshot() as connection:
            active: dict[str, Streak] = {}
            for statement in (ACTIVE_ON_DISCORD, ACTIVE_ELSEWHERE):
                active |= {row[0]: STREAKS.value(row) for row in connection.execute(statement, [day.isoformat()])}
            excusals = map(EXCUSALS.value, connection.execute(EXCUSED_ALONE_ON, [day.isoformat()]))
            alone = excused_alone(excusals).get(day, set()) - active.keys()
            held = [stored_streak(connection, member_id) for member_id in sorted(alone)]
            return DayRecord(
                [active[member_id] for member_id in sorted(active)], revision_of_day(connection, day), held
            )

    def streak_of(self, member_id: str, /) -> Streak:
        with self._database.connection() as connection:
            return stored_streak(connection, member_id)

    def activity(self, through: date, /) -> Activity:
        with self._database.snapshot() as connection:
            streaks = [STREAKS.value(row) for row in connection.execute(f"{STREAKS.select} ORDER BY member_id")]
            active, revision = _active_days(connection, through), latest_revision(connection)
            alone = excused_alone(map(EXCUSALS.value, connection.execute(EXCUSED_ALONE, [through.isoformat()])))
        return Activity(streaks, active, revision, [(day, sorted(alone[day])) for day in sorted(alone)])


def _active_days(connection: Connection, through: date) -> list[tuple[date, Sequence[str]]]:
    """Return who was active on which day; each member id is one object, because there may be years of days."""
    ids: dict[str, str] = {}
    active: defaultdict[str, list[str]] = defaultdict(list)
    for statement in (DAYS_ON_DISCORD, DAYS_ELSEWHERE):
        for day, member_id in connection.execute(statement, [through.isoformat()]):
            active[day].append(ids.setdefault(member_id, member_id))
    return [(date.fromisoformat(day), [*dict.fromkeys(active[day])]) for day in sorted(active)]


def _evidence(awards: Rows, discord: Rows) -> list[Evidence]:
    """Return a member's evidence, oldest day first."""
    found = [Evidence(date.fromisoformat(day), source, position) for day, source, position in awards]
    found += [
        Evidence(
            date.fromisoformat(day),
            DISCORD,
            account_id=account_id,
            opens_at=datetime.fromisoformat(opens_at),
            closes_at=datetime.fromisoformat(closes_at),
        )
        for day, account_id, opens_at, closes_at in discord
    ]
    return sorted(found, key=lambda one: (one.day, one.position or 0, one.account_id or 0))


def calendar_of(connection: Connection, member_id: str | None = None) -> Calendar:
    """Return the calendar, everyone's or a member's own."""
    state, excusals = connection.execute_all(((CALENDAR, ()), (EXCUSED, [member_id])))
    return calendar_of_row(state.fetchone(), excusals)


def calendar_of_row(row: Sequence[Any], excusals: Iterable[Any] = ()) -> Calendar:
    """Return the calendar of the row of `CALENDAR` and those of `EXCUSED`."""
    through, first_at, changes = row
    if through is None:
        settled_through = settled_before(first_at and datetime.fromisoformat(first_at))
    else:
        settled_through = date.fromisoformat(through)
    everybody, alone = set[str](), set[str]()
    for day, is_excused, owner in excusals:
        # The last one of a day counts, as in `in_force`; making values would slow down each award and each standing.
        days = everybody if owner is None else alone
        (days.add if is_excused else days.discard)(day)
    excused = frozenset(map(date.fromisoformat, everybody))
    return Calendar(settled_through, excused, changes, frozenset(map(date.fromisoformat, alone)))


def stored_streak(connection: Connection, member_id: str) -> Streak:
    """Return a member's stored streak, or one of version 0."""
    row = connection.execute(f"{STREAKS.select} WHERE member_id = ?", [member_id]).fetchone()
    return STREAKS.value(row) if row else Streak(member_id)


def revision_of_day(connection: Connection, day: date) -> int:
    """Return a number that grows with every change of a day's evidence."""
    (revision,) = connection.execute(REVISION_OF_A_DAY, {"day": day.isoformat()}).fetchone()
    return int(revision)


def latest_revision(connection: Connection) -> int:
    """Return a number that grows with everything that may be evidence."""
    (revision,) = connection.execute(REVISION).fetchone()
    return int(revision)


MEMBERS = Record(Member, "members")
ACCOUNTS = Record(DiscordActivity, "discord_activity")
SOUGHT = "status IN ('waiting', 'tracked', 'absent')"
"""The accounts that a sync looks for."""

NEVER_SEEN = """
next_reading IN ('opens', 'begins', 'rebases')
    AND xp_baseline = 0 AND xp_total = 0 AND xp_high = 0 AND xp_posted = 0
    AND NOT EXISTS (
        SELECT 1 FROM entries AS shown
        WHERE shown.member_id = discord_activity.member_id AND shown.account_id = discord_activity.account_id
            AND shown.xp_after > 0
    )
"""
UNSEEN = f"FROM discord_activity WHERE unlinked_at IS NULL AND {NEVER_SEEN}"


class Facts(SqlStore):
    """The `Ledger` port's queries of members and accounts."""

    def member(self, member_id: str, /) -> Member | None:
        with self._database.connection() as connection:
            row = connection.execute(f"{MEMBERS.select} WHERE member_id = ?", [member_id]).fetchone()
        return row and MEMBERS.value(row)

    def account_of(self, member_id: str, /) -> DiscordActivity | None:
        return next(iter(self._accounts("member_id = ? AND unlinked_at IS NULL", member_id)), None)

    def holder_of(self, discord_id: str, /) -> DiscordActivity | None:
        return next(iter(self._accounts("discord_id = ? AND unlinked_at IS NULL", discord_id)), None)

    def accounts_to_sync(self) -> Sequence[DiscordActivity]:
        return self._accounts(SOUGHT)

    def linked_accounts(self) -> Sequence[DiscordActivity]:
        return self._accounts("unlinked_at IS NULL")

    def _accounts(self, condition: str, *values: str) -> Sequence[DiscordActivity]:
        return self._read(ACCOUNTS.value, f"{ACCOUNTS.select} WHERE {condition} ORDER BY account_id", values)


ENTRY = """
SELECT position, kind, member_id, source, points, day, at, silent,
       account_id, xp_before, xp_after, baseline_before, baseline_after,
       key, reason, actor, reverses, booked_at, counts_as_activity
FROM entries
"""


DAY, AT, SILENT, XP, KEY, BOOKED_AT, COUNTS = 5, 6, 7, 8, 13, 17, 18


def entry_of_row(row: Sequence[Any]) -> Entry:
    """Return the entry of a row of `ENTRY`."""
    values = [*row]
    values[DAY], values[AT] = date.fromisoformat(row[DAY]), datetime.fromisoformat(row[AT])
    values[SILENT], values[COUNTS] = bool(row[SILENT]), bool(row[COUNTS])
    values[BOOKED_AT] = row[BOOKED_AT] and datetime.fromisoformat(row[BOOKED_AT])
    return entry_of(values)


def entry_of(values: Sequence[Any]) -> Entry:
    """Return the entry of a row's converted values."""
    xp = None if values[XP] is None else XpChange(*values[XP:KEY])
    return Entry(*[*values[:XP], xp, *values[KEY:]])


LATEST_ACCOUNT = """
SELECT member_id, discord_id, status, xp_total, xp_baseline FROM discord_activity
WHERE account_id IN (SELECT max(account_id) FROM discord_activity {condition} GROUP BY member_id)
"""

LATEST_STATUS = """
SELECT status FROM discord_activity AS latest WHERE latest.member_id = members.member_id
ORDER BY account_id DESC LIMIT 1
"""
NAMED_SO = """EXISTS (
    SELECT 1 FROM name_words WHERE name_words.member_id = members.member_id AND replace(word, ?, '') <> word
)"""
ENROLLED = """
SELECT member_id, name, is_hidden, is_forgotten, enrolled_at,
    member_id, coalesce(streaks.version, 0), last, coalesce(length, 0), coalesce(longest, 0)
FROM members LEFT JOIN streaks USING (member_id) WHERE member_id = ?
"""


class Standings(SqlStore):
    """The standings of the `Views` port."""

    def facts(self, member_id: str, today: date, /) -> MemberFacts | None:
        values = {"member": member_id, "first": date.min.isoformat(), "last": today.isoformat()}
        with self._database.snapshot() as connection:
            enrolled, *standing, state, excused, awards, discord = connection.execute_all(
                (
                    (ENROLLED, [member_id]),
                    *_standings_of("WHERE member_id = ?", [member_id])[1:],
                    (CALENDAR, ()),
                    (EXCUSED, [member_id]),
                    (_since_settled(AWARD_EVIDENCE), values),
                    (_since_settled(self._database.discord_evidence), values),
                )
            )
            row = enrolled.fetchone()
            found = _standings([row[:4]] if row else [], *standing)
            calendar, evidence = calendar_of_row(state.fetchone(), excused), _evidence(awards, discord)
        if not row:
            return None
        open_from = min(calendar.next_day or today, today)
        open_days = frozenset(one.day for one in evidence if one.day >= open_from)
        return MemberFacts(found[0], datetime.fromisoformat(row[4]), STREAKS.value(row[5:]), calendar, open_days)

    def members(self, of: Selection = ALL, /, *, after: str = "", limit: int | None = None) -> Sequence[Standing]:
        with self._database.snapshot() as connection:
            return _standings(*connection.execute_all(_standings_of(*_selected(of, after, limit))))


@cache
def _since_settled(evidence: str) -> str:
    """Return the evidence query with the last settled day, if any, as its first day instead of `:first`."""
    return evidence.replace(":first", "(SELECT coalesce(max(day), :first) FROM settled_days WHERE day < :last)")


def _selected(of: Selection, after: str, limit: int | None) -> tuple[str, list[Any]]:
    """Return a condition on `member_id`, and its values, that selects a page of members."""
    conditions, values = ["member_id > ?"], [after]
    if of.ids is not None:
        conditions.append(f"member_id IN ({', '.join('?' * len(of.ids)) or 'NULL'})")
        values += sorted(of.ids)
    if of.words is not None:
        conditions += [NAMED_SO] * len(of.words) or ["false"]
        values += of.words
    if of.status is not None:
        conditions.append(f"coalesce(({LATEST_STATUS}), 'none') = ?")
        values.append(of.status)
    if of.never_seen:
        conditions.append(f"member_id IN (SELECT member_id {UNSEEN})")
    page = f"SELECT member_id FROM members WHERE {' AND '.join(conditions)} ORDER BY member_id"
    return f"WHERE member_id IN ({page}{'' if limit is None else f' LIMIT {limit:d}'})", values


def _standings_of(condition: str, values: Sequence[str | int]) -> Sequence[Statement]:
    """Return the statements for the members selected by a condition on `member_id`."""
    return (
        (f"SELECT member_id, name, is_hidden, is_forgotten FROM members {condition} ORDER BY member_id", values),
        (f"SELECT member_id, source, points FROM balances {condition} ORDER BY source", values),
        (LATEST_ACCOUNT.format(condition=condition), values),
    )


def _standings(members: Iterable[Row], amounts: Rows, latest: Rows) -> list[Standing]:
    """Return the standings from the results of `_standings_of`."""
    balances: dict[str, dict[str, int]] = defaultdict(dict)
    for member_id, source, amount in amounts:
        balances[member_id][source] = amount
    accounts = {
        member_id: DiscordStanding(discord_id, status, xp_total, baseline)
        for member_id, discord_id, status, xp_total, baseline in latest
    }
    return [
        Standing(
            member_id,
            name,
            sum(balances[member_id].values()),
            balances[member_id],
            accounts.get(member_id),
            is_hidden=bool(is_hidden),
            is_forgotten=bool(is_forgotten),
        )
        for member_id, name, is_hidden, is_forgotten in members
    ]

"""A store in PostgreSQL with a crowd in it: members, linked accounts, two years of entries, evidence, streaks."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import population
import psycopg
from attrs import frozen

from trc_engage.adapters.postgres import PostgresLedger

SCHEMA = "trc_engage"
FIRST_DAY = date(2024, 3, 2)
DAYS = 730
"""The last of them is the day before `population.OPENED_AT`."""
MONTH = date(2026, 2, 1)
"""The last whole month."""
GAINS_SHARE = 0.6
"""Discord's share of the entries; the rest are awards."""
XP_EACH = 230

MEMBERS = """
INSERT INTO members (member_id, name, enrolled_at, is_hidden, is_forgotten, version)
SELECT 'member-' || lpad(CAST(n AS text), 8, '0'), 'Member ' || n, %(first)s, n %% 200 = 0, false, 1
FROM generate_series(0, %(members)s - 1) AS n
"""
ACCOUNTS = """
INSERT INTO discord_activity (version, member_id, discord_id, status, next_reading, xp_baseline, xp_total, xp_high,
    xp_posted, linked_at)
SELECT %(steps)s + 1, 'member-' || lpad(CAST(n * (%(members)s / %(accounts)s) AS text), 8, '0'),
    CAST(100000000000000000 + n AS text), 'tracked', 'continues', n, xp, xp, xp, %(first)s
FROM generate_series(0, %(accounts)s - 1) AS n CROSS JOIN LATERAL (SELECT n + {xp_each} * (%(steps)s - 1) AS xp) AS one
"""
ENTRIES = """
SELECT row_number() OVER (ORDER BY day, account_id, key) + {offset} AS position, *
FROM (
    SELECT CASE {step} WHEN 0 THEN 'opening' ELSE 'gain' END AS kind, member_id, 'discord' AS source,
        CASE {step} WHEN 0 THEN 0 ELSE {xp_each} * {step} / 100 - {xp_each} * ({step} - 1) / 100 END AS points,
        day, day + interval '15 minutes' AS at, {step} = 0 AS silent, account_id,
        CASE {step} WHEN 0 THEN NULL ELSE xp_baseline + {xp_each} * ({step} - 1) END AS xp_before,
        xp_baseline + {xp_each} * {step} AS xp_after,
        CASE {step} WHEN 0 THEN NULL ELSE xp_baseline END AS baseline_before, xp_baseline AS baseline_after,
        NULL AS key
    FROM discord_activity
        CROSS JOIN LATERAL (SELECT DATE '{first}' + CAST(account_id * 37 % {span} AS int) AS day) AS one
    UNION ALL
    SELECT 'award', 'member-' || lpad(CAST(n * 7919 % {members} AS text), 8, '0'), 'benchmark', 1 + n % 50,
        day, day, false, NULL, NULL, NULL, NULL, NULL, 'key-' || n
    FROM generate_series(CAST({awards_from} AS bigint), {awards_to} - 1) AS n
        CROSS JOIN LATERAL (SELECT DATE '{first}' + CAST(n * 37 % {span} AS int) AS day) AS one
) AS both_kinds
"""
COLUMNS = (
    "position, kind, member_id, source, points, day, at, silent, "
    "account_id, xp_before, xp_after, baseline_before, baseline_after, key"
)
DERIVED = """
INSERT INTO discord_days SELECT day, member_id, account_id, day, day + interval '15 minutes' FROM entries
    WHERE kind = 'gain';
INSERT INTO balances SELECT member_id, source, sum(points) FROM entries GROUP BY member_id, source;
INSERT INTO monthly_balances SELECT month, member_id, sum(points) FROM points_by_month WHERE points <> 0
    GROUP BY month, member_id ORDER BY month;
WITH active AS (
    SELECT member_id, day FROM discord_days UNION SELECT member_id, day FROM entries WHERE kind = 'award'
), numbered AS (
    SELECT member_id, day, (day - DATE '{monday}') / 7 * 5 + extract(isodow FROM day) AS number
    FROM active WHERE extract(isodow FROM day) < 6
), islands AS (
    SELECT member_id, max(day) AS last, count(*) AS length
    FROM (SELECT *, number - row_number() OVER (PARTITION BY member_id ORDER BY day) AS island FROM numbered) AS rows
    GROUP BY member_id, island
)
INSERT INTO streaks SELECT member_id, 1, max(last), (array_agg(length ORDER BY last DESC))[1], max(length)
FROM islands GROUP BY member_id;
INSERT INTO settled_days SELECT DATE '{first}' + n, DATE '{first}' + n + 1 FROM generate_series(0, {days} - 1) AS n;
INSERT INTO runs (task, outcome, at, opened, gained, deducted, rebased, unchanged, absent, missed, points, pages,
    board_rows, whole)
SELECT 'sync', 'synced', at, count(*) FILTER (WHERE silent), count(*) FILTER (WHERE NOT silent), 0, 0, 0, 0, 0,
    sum(points), 1, {accounts}, true
FROM entries WHERE source = 'discord' GROUP BY at
UNION ALL SELECT 'sync', 'synced', '{opened}', 0, 0, 0, 0, {accounts}, 0, 0, 0, 1, {accounts}, true ORDER BY at;
"""
PLAIN_INDICES = """
SELECT CAST(indexrelid AS regclass), pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid IN (CAST('entries' AS regclass), CAST('discord_activity' AS regclass)) AND NOT indisunique
"""

POINTS_OF_A_DAY = "CREATE INDEX points_of_a_day ON entries (day, member_id, points)"
"""The ledger does not need it: a bare scan of a month is what its leaderboard is compared with."""


@frozen
class Crowd:
    """How many members, accounts and entries there are."""

    members: int
    accounts: int
    entries: int

    @property
    def steps(self) -> int:
        """How many entries each account has: its opening, and gains."""
        return max(2, round(self.entries * GAINS_SHARE / self.accounts))

    @property
    def thousandth(self) -> "Crowd":
        """The same crowd, a thousand times smaller."""
        return Crowd(self.members // 1_000, self.accounts // 1_000, self.entries // 1_000)


def build(dsn: str, crowd: Crowd) -> None:
    """Make a store in an empty database and fill it by COPY."""
    PostgresLedger.open(dsn).close()
    with psycopg.connect(dsn, autocommit=True) as connection:
        # The rows are consistent as generated, and creating indexes is quicker than maintaining them.
        connection.execute(
            f"SET search_path = {SCHEMA}; SET session_replication_role = replica; "
            "SET maintenance_work_mem = '1GB'; SET timezone = 'UTC'"
        )
        indices = connection.execute(PLAIN_INDICES).fetchall()
        for name, _ in indices:
            connection.execute(f"DROP INDEX {name}")
        values = {"members": crowd.members, "accounts": crowd.accounts, "steps": crowd.steps, "first": FIRST_DAY}
        connection.execute(MEMBERS, values)
        connection.execute(ACCOUNTS.format(xp_each=XP_EACH), values)
        for rows in _rows(crowd):
            _copy(dsn, connection, rows)
        opened = population.OPENED_AT.isoformat()
        monday = FIRST_DAY - timedelta(days=FIRST_DAY.weekday())
        connection.execute(
            DERIVED.format(first=FIRST_DAY, monday=monday, days=DAYS, opened=opened, accounts=crowd.accounts)
        )
        for _, definition in indices:
            connection.execute(definition)
        connection.execute("SELECT setval('entries_position_seq', max(position)) FROM entries")
        connection.execute("VACUUM (ANALYZE)")


def index_points(dsn: str) -> None:
    """Create an index that contains the points of a month."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"SET search_path = {SCHEMA}; SET maintenance_work_mem = '1GB'")
        connection.execute(POINTS_OF_A_DAY)
        connection.execute("VACUUM (ANALYZE) entries")


def _rows(crowd: Crowd) -> Iterator[str]:
    """Yield the statements that make the entries, oldest first."""
    steps = crowd.steps
    awards = crowd.entries - steps * crowd.accounts
    position = 0
    for step in range(steps):
        awards_from, awards_to = awards * step // steps, awards * (step + 1) // steps
        first = FIRST_DAY + timedelta(days=DAYS * step // steps)
        yield ENTRIES.format(
            step=step,
            first=first,
            span=DAYS // steps,
            offset=position,
            members=crowd.members,
            xp_each=XP_EACH,
            awards_from=awards_from,
            awards_to=awards_to,
        )
        position += crowd.accounts + awards_to - awards_from


def _copy(dsn: str, target: psycopg.Connection[Any], rows: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as source:
        source.execute(f"SET search_path = {SCHEMA}; SET timezone = 'UTC'")
        with (
            source.cursor().copy(f"COPY ({rows}) TO STDOUT") as read,
            target.cursor().copy(f"COPY entries ({COLUMNS}) FROM STDIN") as written,
        ):
            for data in read:
                written.write(data)

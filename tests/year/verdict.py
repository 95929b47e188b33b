"""What must hold at the end of a life, and the figures that are printed for it."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from sqlite3 import connect

from support import streak_oracle

from .homes import Home
from .life import Life, Measure
from .outages import slot_of, timed
from .people import member_id

QUIET_LINES = 97
"""One for each of the 96 syncs, and one for the settlement."""
USUAL = re.compile(r"INFO (synced: |settled )")
TIME_WIDTH = len("2026-01-05T08:00:00Z ")
NEVER = (None, 0, 0)
"""The streak of a member who was never active on a weekday."""
GAPS_MAX = 1.25
"""How much larger the file may be than its data."""
FLAT_MAX = 1.08
"""How much memory the daemon may gain in the weeks before the last outage, and in those after it."""
STEP_MAX = 1.2
"""How much in all: the first outage keeps what a failed read held of each account, and a second one adds nothing."""
SETTLES = timedelta(weeks=1)
"""How long after a start the memory may still grow to its usual size."""


def breaches(life: Life) -> Iterator[str]:
    """Yield every breach."""
    yield from _of_doctor(life)
    yield from _of_points(life)
    yield from _of_streaks(life)
    yield from _of_log(life)
    yield from _of_notices(life)
    yield from _of_sizes(life)
    if not life.lost:
        yield "the restore lost no award: the test does not see what it is for"


def _of_doctor(life: Life) -> Iterator[str]:
    if "all is well" not in (found := life.machine.run("doctor").out):
        yield found
    if not (found := life.machine.run("status").out).startswith("healthy"):
        yield found


def _of_points(life: Life) -> Iterator[str]:
    """Yield members whose points are not those of the last reading's XP and the awards."""
    books, told = life.books, life.machine.run("export", "members", "--json").out.splitlines()
    found = {row["member_id"]: (row["points"], row["xp_total"]) for row in map(json.loads, told)}
    for number, xp in enumerate(books.xp):
        if found.pop(name := member_id(number), None) != (expected := (books.points(number), xp)):
            yield f"{name}: points and XP are not {expected}"
    yield from (f"{name}: nobody is called so" for name in found)


def _of_streaks(life: Life) -> Iterator[str]:
    """Yield streaks, present or longest, that do not follow from the days."""
    through = life.calendar.ends_at.date() - timedelta(days=1)
    with closing(connect(life.last_file)) as connection:
        (settled,) = connection.execute("SELECT max(day) FROM settled_days").fetchone()
        rows = connection.execute("SELECT member_id, last, length, longest FROM streaks").fetchall()
    if settled != f"{through}":
        yield f"days are settled through {settled} and not {through}"
    found = {name: (last, length, longest) for name, last, length, longest in rows}
    for number in range(len(life.books.xp)):
        active = {day for day in life.books.active(number) if day <= through}
        longest = streak_oracle.longest(active, life.books.excused, through)
        row = streak_oracle.last_row(active, life.books.excused, through)
        expected = (f"{row[-1]}", len(row), longest) if row else NEVER
        if (streak := found.get(member_id(number), NEVER)) != expected:
            yield f"{member_id(number)}: its streak is {streak} and not {expected}"


def _of_log(life: Life) -> Iterator[str]:
    lines = life.machine.log.read_text().splitlines()
    by_day = Counter(line[:10] for line in lines)
    for day in life.calendar.quiet_days:
        if by_day[f"{day}"] != QUIET_LINES:
            yield f"the log of {day} has {by_day[f'{day}']} lines"
    quiet = set(map(str, life.calendar.quiet_days))
    yield from (line for line in lines if line[:10] in quiet and not USUAL.match(line[TIME_WIDTH:]))


def _of_notices(life: Life) -> Iterator[str]:
    """Yield missing or unexpected messages of the outages: alerts, reminders, all-clears, one to the dead webhook."""
    calendar = life.calendar
    first, second = calendar.errors.notices(), calendar.private.notices(calendar.renewed_at)
    _, died_at = calendar.private.notices()[0]
    expected = [
        *((0, *one) for one in first),
        (0, "404", died_at),
        (1, "test", slot_of(calendar.renewed_at)),
        *((1, *one) for one in (*second, *calendar.refused.notices())),
    ]
    if (told := timed(life.told)) != expected:
        yield f"the webhooks were told {told} and not {expected}"


def _of_sizes(life: Life) -> Iterator[str]:
    for one in life.measures if type(life.home) is Home else ():
        # PostgreSQL vacuums its tables by the true clock, which passes one hour in a year.
        if one.store_bytes > GAPS_MAX * one.packed_bytes:
            yield f"{one.at:%F}: the store is {one.store_bytes:,} bytes, its data {one.packed_bytes:,}"
    steady, over = steady_measures(life.measures), life.calendar.refused.until
    before, after = ([one for one in steady if (one.at < over) == is_before] for is_before in (True, False))
    for measures, gain_max in ((before, FLAT_MAX), (after, FLAT_MAX), (steady, STEP_MAX)):
        taken = [one.memory_bytes for one in measures]
        if taken and max(taken) > gain_max * taken[0]:
            yield f"since {measures[0].at:%F} the daemon's memory grew from {taken[0]:,} to {max(taken):,} bytes"
    if len({one.handles for one in steady}) > 1:
        yield f"the daemon's open files and threads are {[one.handles for one in steady]}"


def steady_measures(measures: Sequence[Measure]) -> Sequence[Measure]:
    """Return the measures since the daemon's last start, from its second week on."""
    last = [one for one in measures if one.starts == measures[-1].starts]
    return [one for one in last if one.at - last[0].at >= SETTLES]


def figures(life: Life) -> Mapping[str, str]:
    """Return the figures that are printed for a life."""
    steady, end = steady_measures(life.measures), life.measures[-1]
    lives: dict[int, list[Measure]] = {}
    for one in life.measures:
        lives.setdefault(one.starts, []).append(one)
    return {
        "readings": f"{life.books.readings:,}",
        "rows": f"{end.rows:,}, {end.store_bytes / end.rows:.0f} bytes each",
        "store": f"{end.store_bytes:,} bytes, {end.store_bytes / end.packed_bytes:.3f} of its data packed",
        "memory": f"{steady[0].memory_bytes:,} bytes on {steady[0].at:%F}, {end.memory_bytes:,} at the end",
        "memory by start": "; ".join(
            f"{ones[0].memory_bytes / 2**20:.1f} to {ones[-1].memory_bytes / 2**20:.1f} MiB" for ones in lives.values()
        ),
        "quiet days": f"{len(life.calendar.quiet_days)} of {QUIET_LINES} lines",
        "awards": f"{len(life.books.awards)}, and {life.lost} lost with the restore",
        "notices": f"{len(life.told)}",
    }

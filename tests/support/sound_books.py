"""A small store in which the doctor finds nothing: an entry of every kind, and all that is kept beside the entries."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from attrs import evolve

from trc_engage import Entry
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core.audit import Breach, Holdings, Rises
from trc_engage.core.days import Calendar
from trc_engage.core.model import TOMBSTONE, DiscordActivity, Member, XpChange
from trc_engage.core.records import MembershipEvent
from trc_engage.core.streaks import Streak
from trc_engage.usecases.audit import audit

MON, TUE, WED, THU, FRI, SAT, SUN = (date(2026, 3, day) for day in range(2, 9))


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return an instant of a day."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def _synced(position: int, kind: Any, points: int, days: tuple[date, date], xp: XpChange, **more: Any) -> Entry:
    first, posted_on = days
    silent = kind in {"opening", "rebase"}
    member_id = "ada" if xp.account_id == 1 else "cy"
    return Entry(position, kind, member_id, "discord", points, first, at(posted_on, 9), silent, xp, **more)


def _by_hand(position: int, kind: Any, whose: tuple[str, str], points: int, day: date, **more: Any) -> Entry:
    return Entry(position, kind, *whose, points, day, at(more.pop("posted_on", day), 12), silent=False, **more)


_RUN, _BONUS = ("bo", "benchmark"), ("ada", "bonus")
_BACK = {"reason": "a mistake", "actor": "admin-7", "posted_on": THU}

ENTRIES: Sequence[Entry] = (
    _synced(1, "opening", 0, (MON, MON), XpChange(1, None, 1000, None, 1000)),
    _synced(2, "gain", 2, (MON, TUE), XpChange(1, 1000, 1250, 1000, 1000)),
    _by_hand(3, "award", _RUN, 10, TUE, key="run:1"),
    _by_hand(4, "award", _RUN, 20, TUE, key="run:2", actor="admin-7"),
    _by_hand(5, "award", _RUN, 30, WED, key="run:3"),
    _by_hand(6, "reversal", _RUN, -20, TUE, reverses=4, **_BACK),
    _by_hand(7, "reversal", _RUN, -30, WED, reverses=5, **_BACK),
    _synced(8, "deduction", -2, (TUE, WED), XpChange(1, 1250, 1050, 1000, 1000)),
    # Only as much as before the fall: no activity.
    _synced(9, "gain", 2, (WED, WED), XpChange(1, 1050, 1250, 1000, 1000)),
    _synced(10, "deduction", -1, (WED, WED), XpChange(1, 1250, 1100, 1000, 1000), reason="real", actor="admin-7"),
    _synced(11, "rebase", 0, (WED, WED), XpChange(1, 1100, 700, 1000, 600), reason="a season", actor="admin-7"),
    # No more XP than before the new season, but more than within it.
    _synced(12, "gain", 1, (WED, THU), XpChange(1, 700, 800, 600, 600)),
    _by_hand(13, "award", _BONUS, 5, TUE, key="milestone:ada:5", counts_as_activity=False),
    _by_hand(14, "reversal", _BONUS, -5, TUE, reverses=13, counts_as_activity=False, **_BACK),
    _by_hand(15, "adjustment", ("bo", "adjustment"), -4, THU, key="fix:1", reason="typo", actor="admin-7"),
    _synced(16, "opening", 0, (THU, THU), XpChange(3, None, 40, None, 40)),
)

HELD = Holdings(
    last_position=16,
    members=[
        Member("ada", "Ada", at(MON, 8), version=1),
        Member("bo", "Bo", at(MON, 8), version=1),
        Member("cy", None, at(MON, 8), is_forgotten=True, version=2),
    ],
    accounts=[
        DiscordActivity(1, 8, "ada", "101", "tracked", "continues", 600, 850, 850, 800),
        DiscordActivity(2, 1, "bo", "102", "waiting", "opens", 0, 0, 0, 0),
        DiscordActivity(3, 3, "cy", TOMBSTONE, "unlinked", "continues", 40, 40, 40, 40),
    ],
    balances={
        "ada": {"discord": 2, "bonus": 0},
        "bo": {"benchmark": 10, "adjustment": -4},
        "cy": {"discord": 0},
    },
    streaks=[Streak("ada", 4, THU, 4, 4), Streak("bo", 2, WED, 1, 1)],
    rises=[
        Rises(MON, at(MON, 9), at(TUE, 9), [1]),
        Rises(TUE, at(MON, 9), at(TUE, 9), [1]),
        Rises(WED, at(WED, 9), at(THU, 9), [1]),
        Rises(THU, at(WED, 9), at(THU, 9), [1]),
    ],
    calendar=Calendar(THU, frozenset({FRI}), 2),
    excused={WED: {"bo"}},
    events=[
        MembershipEvent(1, "ada", "linked", at(MON, 8), account_id=1),
        MembershipEvent(2, "ada", "left", at(TUE, 10), "admin-7", "a rumour", "from Bo", account_id=1),
        MembershipEvent(3, "ada", "returned", at(TUE, 11), "admin-7", account_id=1),
        MembershipEvent(4, "cy", "left", at(THU, 13), account_id=3),
        MembershipEvent(5, "cy", "forgotten", at(THU, 14), "admin-7", "asked for it", account_id=3),
    ],
)


class Kept(MemoryLedger):
    """A store that holds exactly the given data."""

    def __init__(self, lines: Sequence[Entry | Breach], held: Holdings, seen: Sequence[Breach]) -> None:
        super().__init__()
        self._lines, self._held, self._seen = lines, held, seen

    def holdings(self) -> Holdings:
        """Return everything but the entries."""
        return self._held

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Breach]:
        """Return the next lines."""
        return [line for line in self._lines if (line.position or 0) > after][:limit]

    def irregularities(self) -> Sequence[Breach]:
        """Return what the store itself noticed."""
        return self._seen


def found(
    lines: Sequence[Entry | Breach] = ENTRIES, held: Holdings = HELD, seen: Sequence[Breach] = ()
) -> Sequence[str]:
    """Return the doctor's breaches of a store, in order, as `check: message`."""
    return [f"{breach.check}: {breach.message}" for breach in audit(Kept(lines, held, seen)).breaches]


def but(position: int, /, **change: Any) -> Sequence[Entry]:
    """Return the entries with one of them changed; names that begin with `xp_` or `baseline_` change its XP."""
    entry = ENTRIES[position - 1]
    of_xp = {name: change.pop(name) for name in [*change] if name.startswith(("xp_", "baseline_"))}
    if of_xp:
        assert entry.xp is not None
        change["xp"] = evolve(entry.xp, **of_xp)
    return [evolve(entry, **change) if line is entry else line for line in ENTRIES]


def account(number: int, /, **change: Any) -> Holdings:
    """Return the holdings with one account changed."""
    return evolve(HELD, accounts=[evolve(one, **change) if one.account_id == number else one for one in HELD.accounts])

"""Evidence of Discord, the calendar, and streaks against both (R11-R14)."""

from collections.abc import Iterator, Mapping

from attrs import evolve

from ..days import Calendar, days_counted
from ..streaks import Streak, advance_all
from .books import Books
from .breaches import STREAK, Breach, of_member
from .holdings import Holdings, Rises


def breaches_of_evidence(holdings: Holdings, books: Books) -> Iterator[Breach]:
    """Yield windows that cannot be, evidence of accounts that were never opened, and excused days that cannot be."""
    known = {account.account_id: account.member_id for account in holdings.accounts}
    for rises in holdings.rises:
        yield from _of_window(rises)
        for account_id in rises.account_ids:
            if account_id not in books.tails and not _is_doubtful(known.get(account_id), holdings, books):
                subject = f"account {account_id}"
                yield Breach("evidence", subject, f"its activity on {rises.day}", "there", "none before it is opened")
    for day in sorted(holdings.calendar.excused if holdings.calendar else ()):
        if holdings.calendar and not holdings.calendar.adds(day):
            yield Breach("calendar", f"day {day}", "an excused day", f"{day:%A}", "a weekday")


def _is_doubtful(member_id: str | None, holdings: Holdings, books: Books) -> bool:
    return bool(holdings.unreadable) if member_id is None else books.doubts.of(member_id)


def _of_window(rises: Rises) -> Iterator[Breach]:
    accounts = f"account {rises.account_ids[0]}"
    if len(rises.account_ids) > 1:
        accounts += f" and {len(rises.account_ids) - 1} more"
    window = f"{rises.opens_at:%F %T} to {rises.closes_at:%F %T}"
    if rises.opens_at > rises.closes_at:
        yield Breach("evidence", accounts, f"the window of {rises.day}", window, "one that opens before it closes")
    elif rises.day not in days_counted(rises.opens_at, rises.closes_at):
        yield Breach("evidence", accounts, f"the window of {rises.day}", window, "one that counts for that day")


def streaks_by_evidence(holdings: Holdings, books: Books, calendar: Calendar) -> Mapping[str, Streak]:
    """Return every streak as the evidence makes it, day by day: as settling would, had it all been known in time."""
    owners = {account.account_id: account.member_id for account in holdings.accounts}
    through = calendar.settled_through
    streaks: dict[str, Streak] = {}
    for day in sorted(books.rose.keys() | books.awarded.keys()):
        if through is None or day > through:
            break
        active = {owners[account_id] for account_id in books.rose.get(day, ()) if account_id in owners}
        active |= {member_id for member_id, standing in books.awarded.get(day, {}).items() if standing > 0}
        before = [streaks.get(member_id) or Streak(member_id) for member_id in active]
        streaks |= {streak.member_id: streak for streak in advance_all(before, day, calendar)}
    return streaks


def changed_streaks(holdings: Holdings, books: Books, calendar: Calendar) -> list[tuple[Streak, Streak]]:
    """Return each member's streak that differs from the evidence, as it is stored and as it must be."""
    derived = streaks_by_evidence(holdings, books, calendar)
    stored = {streak.member_id: streak for streak in holdings.streaks}
    pairs = []
    for member in holdings.members:
        blank = Streak(member.member_id)
        before = stored.get(member.member_id, blank)
        after = evolve(derived.get(member.member_id, blank), version=before.version)
        if after != before and not books.doubts.of(member.member_id):
            pairs.append((before, after))
    return pairs


def breaches_of_streaks(holdings: Holdings, changed: list[tuple[Streak, Streak]]) -> Iterator[Breach]:
    """Yield the streaks that are not what the evidence makes."""
    for before, after in changed:
        yield Breach(STREAK, of_member(before.member_id), "the streak", described(before), described(after))
    for streak in holdings.streaks:
        if streak.version < 1:
            yield Breach(STREAK, of_member(streak.member_id), "the streak's version", streak.version, "1 or more")


def described(streak: Streak) -> str:
    """Write a streak as it is stored."""
    last = "none" if streak.last is None else f"{streak.length} to {streak.last}"
    return f"{last} (longest {streak.longest})"

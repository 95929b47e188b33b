"""Checks of accounts, members, evidence, days and streaks against the totals of the entries."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from attrs import evolve

from ..days import Calendar, days_counted
from ..errors import InvalidValue
from ..model import TOMBSTONE, DiscordActivity
from ..streaks import Activity, Streak, all_recomputed
from ..validation import validate_discord_id
from . import BALANCE, CHECKS, EVENT, STREAK, Audit, Breach, Holdings, Rises, Row, breaches, of_member
from .books import Books, Tail, points_until, rebalanced

NEXT_READINGS = {
    "waiting": {"opens"},
    "tracked": {"begins", "continues", "returns", "rebases"},
    "absent": {"continues", "returns", "rebases"},
}
"""The possible next readings by status; a left or unlinked account may have any."""


def breaches_of_accounts(holdings: Holdings, books: Books) -> Iterator[Breach]:
    """Yield where an account differs from its entries."""
    for account in holdings.accounts:
        if not books.doubts.of(account.member_id):
            rows = _flaws(account, books.tails.get(account.account_id))
            yield from breaches("account", f"account {account.account_id}", *rows)
    known = {account.account_id for account in holdings.accounts}
    if not holdings.unreadable:
        for account_id in books.tails.keys() - known:
            yield Breach("account", f"account {account_id}", "the account of entries", "unknown", "one that is there")


def _flaws(account: DiscordActivity, tail: Tail | None) -> Iterator[Row]:
    status = account.status
    possible = NEXT_READINGS.get(status, {account.next_reading})
    reads, may_read = f"one that {account.next_reading}", f"one that {' or '.join(sorted(possible))}"
    has_window = account.window_from is not None and status not in {"tracked", "absent"}
    yield account.next_reading not in possible, f"the next reading of an account that is {status}", reads, may_read
    yield has_window, f"the window of an account that is {status}", account.window_from, None
    if (tail is None) != (account.next_reading == "opens"):
        found, expected = ("missing", "there") if tail is None else ("there", "none before it is opened")
        yield True, "its opening", found, expected
        return
    # The link is the first version, and each entry came with another.
    versions = 1 if tail is None else 1 + tail.lines
    yield account.version < versions, "its version", account.version, f"{versions} or more"
    if tail is not None:
        yield from _opened(account, tail)
        return
    for what, xp in (
        ("its XP", account.xp_total),
        ("its baseline", account.xp_baseline),
        ("its XP at the last entry", account.xp_posted),
        ("the higher of its last two readings", account.xp_high),
    ):
        yield xp != 0, f"{what} before the opening", xp, 0


def _opened(account: DiscordActivity, tail: Tail) -> Iterator[Row]:
    xp, baseline, by_entry = account.xp_total, account.xp_baseline, f"as entry {tail.position} left it"
    paid, formula = points_until(xp, baseline), f"floor((XP {xp} - baseline {baseline}) / 100)"
    yield account.member_id != tail.member_id, "its member", "another than that of its entries", "the same"
    yield baseline != tail.baseline, "its baseline", baseline, f"{tail.baseline}, {by_entry}"
    yield account.xp_posted != tail.xp, "its XP at the last entry", account.xp_posted, f"{tail.xp}, {by_entry}"
    yield paid != tail.paid, formula, paid, f"{tail.paid}, the sum of its entries"
    yield xp < 0, "its XP", xp, "0 or more"
    high = account.xp_high
    yield high < xp, "the higher of its last two readings", high, f"{xp} or more, the last one"
    yield account.next_reading == "begins" and xp != 0, "the XP of a zero-XP record", xp, 0


def breaches_of_evidence(holdings: Holdings, books: Books) -> Iterator[Breach]:
    """Yield impossible windows, evidence of accounts that were never opened, and excused weekend days."""
    known = {account.account_id: account.member_id for account in holdings.accounts}
    for rises in holdings.rises:
        yield from _of_window(rises)
        for account_id in rises.account_ids:
            if account_id not in books.tails and not _is_doubtful(known.get(account_id), holdings, books):
                subject = f"account {account_id}"
                yield Breach("evidence", subject, f"its activity on {rises.day}", "there", "none before it is opened")
    everybody = holdings.calendar.excused if holdings.calendar else frozenset()
    for day in sorted(everybody | holdings.excused.keys()):
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


def changed_streaks(holdings: Holdings, books: Books, calendar: Calendar) -> list[tuple[Streak, Streak]]:
    """Return each member's streak that differs from the evidence, as stored and as recomputed."""
    owners = {account.account_id: account.member_id for account in holdings.accounts}
    active: dict[date, set[str]] = defaultdict(set)
    for day, account_ids in books.rose.items():
        active[day] |= {owners[account_id] for account_id in account_ids if account_id in owners}
    for day, standing in books.awarded.items():
        active[day] |= {member_id for member_id, awards in standing.items() if awards > 0}
    days, excused = (
        [(day, [*who]) for day, who in sorted(each.items()) if calendar.is_settled(day)]
        for each in (active, holdings.excused)
    )
    pairs = all_recomputed(Activity(holdings.streaks, days, 0, excused), calendar)
    known = {member.member_id for member in holdings.members if not books.doubts.of(member.member_id)}
    changed = [(before, after) for before, after in pairs if before != after and before.member_id in known]
    return sorted(changed, key=lambda pair: pair[0].member_id)


def breaches_of_streaks(holdings: Holdings, changed: list[tuple[Streak, Streak]]) -> Iterator[Breach]:
    """Yield the streaks that differ from the evidence."""
    for before, after in changed:
        yield Breach(STREAK, of_member(before.member_id), "the streak", described(before), described(after))
    for streak in holdings.streaks:
        if streak.version < 1:
            yield Breach(STREAK, of_member(streak.member_id), "the streak's version", streak.version, "1 or more")


def described(streak: Streak) -> str:
    """Return a streak as text."""
    last = "none" if streak.last is None else f"{streak.length} to {streak.last}"
    return f"{last} (longest {streak.longest})"


def breaches_of_people(holdings: Holdings, books: Books) -> Iterator[Breach]:
    """Yield flaws of members and links, and rows whose member does not exist."""
    for member in holdings.members:
        is_named = member.is_forgotten and member.name is not None
        yield from breaches(
            *("member", of_member(member.member_id)),
            (is_named, "the name of somebody forgotten", "still there", "none"),
            (member.version < 1, "the version", member.version, "1 or more"),
        )
    yield from _taken_twice(holdings)
    forgotten = {member.member_id for member in holdings.members if member.is_forgotten}
    for account in holdings.accounts:
        yield from _of_link(account, is_forgotten=account.member_id in forgotten)
    if not holdings.unreadable:
        yield from _strangers(holdings, books)


def _of_link(account: DiscordActivity, *, is_forgotten: bool) -> Iterator[Breach]:
    is_linked, is_gone = account.status != "unlinked", account.discord_id == TOMBSTONE
    try:
        is_no_id = not (is_gone or validate_discord_id(account.discord_id))
    except InvalidValue:
        is_no_id = True
    yield from breaches(
        *("link", f"account {account.account_id}"),
        (is_forgotten and is_linked, "the account of somebody forgotten", account.status, "unlinked"),
        (is_gone and is_linked, "the Discord id of a linked account", "forgotten", "there"),
        (is_forgotten and not is_gone, "the Discord id of somebody forgotten", "still there", "none"),
        (is_no_id, "the Discord id", "no Discord id", "1 to 20 digits"),
    )


def _taken_twice(holdings: Holdings) -> Iterator[Breach]:
    """Yield members and Discord ids that have more than one link."""
    members: dict[str, int] = {}
    discord_ids: dict[str, int] = {}
    for account in holdings.accounts:
        if account.status == "unlinked":
            continue
        number = account.account_id
        for what, held in (
            ("the link of its member", members.setdefault(account.member_id, number)),
            ("the link of its Discord id", discord_ids.setdefault(account.discord_id, number)),
        ):
            if held != number:
                yield Breach("link", f"account {number}", what, "a second one", f"one: account {held} has it")


def _strangers(holdings: Holdings, books: Books) -> Iterator[Breach]:
    """Yield rows whose member does not exist."""
    known = {member.member_id for member in holdings.members}
    for account in holdings.accounts:
        if account.member_id not in known:
            yield Breach("link", f"account {account.account_id}", "its member", "unknown", "an enrolled one")
    owners = (
        ("entry", "the member of entries", books.sums),
        (BALANCE, "the member of a balance", holdings.balances),
        (STREAK, "the member of a streak", [streak.member_id for streak in holdings.streaks]),
        ("calendar", "the member of an excusal", {one for who in holdings.excused.values() for one in who}),
    )
    for check, what, member_ids in owners:
        for member_id in sorted(set(member_ids) - known):
            yield Breach(check, of_member(member_id), what, "unknown", "an enrolled one")


def breaches_of_events(holdings: Holdings) -> Iterator[Breach]:
    """Yield events of another member's account, texts about forgotten members, and accounts unlike their last event."""
    owners = {account.account_id: account for account in holdings.accounts}
    forgotten = {member.member_id for member in holdings.members if member.is_forgotten}
    last = {event.account_id: event for event in holdings.events if event.kind in LEFT_BY}
    for event in holdings.events:
        subject, account = f"event {event.number}", owners.get(event.account_id or 0)
        if account is not None and account.member_id != event.member_id:
            yield Breach(EVENT, subject, "the member of its account", "another", "its own")
        is_blank = event.reason is None and event.note is None
        if event.member_id in forgotten and event.kind != "forgotten" and not is_blank:
            yield Breach(EVENT, subject, "what was said of somebody forgotten", "still there", "none")
        is_told = account is not None and event == last.get(event.account_id)
        if is_told and account and account.status != "unlinked" and (account.status == "left") != LEFT_BY[event.kind]:
            expected = "as it says" if LEFT_BY[event.kind] else "there, as it says"
            yield Breach(EVENT, subject, "the account that it is about", account.status, expected)


LEFT_BY: Mapping[str, bool] = {"left": True, "returned": False, "never_left": False}
"""Whether an account is noted as left after an event of this kind."""

_RANK = {check: rank for rank, check in enumerate(CHECKS)}


def conclude(holdings: Holdings, books: Books, irregularities: Iterable[Breach]) -> Audit:
    """Return the audit, once the books hold every entry; `irregularities` are the store's own findings."""
    calendar = holdings.calendar
    changed = [] if calendar is None else changed_streaks(holdings, books, calendar)
    found = (
        *irregularities,
        *holdings.unreadable,
        *books.breaches,
        *breaches_of_accounts(holdings, books),
        *breaches_of_people(holdings, books),
        *breaches_of_events(holdings),
        *breaches_of_evidence(holdings, books),
        *breaches_of_balances(holdings, books),
        *breaches_of_streaks(holdings, changed),
    )
    return Audit(
        len(holdings.members),
        len(holdings.accounts),
        books.entries,
        sorted(dict.fromkeys(found), key=lambda breach: _RANK.get(breach.check, len(CHECKS))),
        changed,
        calendar,
    )


def breaches_of_balances(holdings: Holdings, books: Books) -> Iterator[Breach]:
    """Yield the balances that are not the sum of their entries (R9); a missing one counts as 0."""
    kept, summed = (
        {member_id: points for member_id, points in each.items() if not books.doubts.of(member_id)}
        for each in (holdings.balances, books.sums)
    )
    for one in rebalanced(kept, summed):
        yield evolve(one, expected=f"{one.expected}, the sum of its entries")

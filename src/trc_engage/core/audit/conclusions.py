"""What was held against what the entries add up to."""

from collections.abc import Iterable, Iterator

from .accounts import breaches_of_accounts
from .activity import breaches_of_evidence, breaches_of_streaks, changed_streaks
from .books import Books
from .breaches import BALANCE, CHECKS, Audit, Breach, of_member
from .holdings import Holdings
from .people import breaches_of_people

_RANK = {check: rank for rank, check in enumerate(CHECKS)}


def conclude(holdings: Holdings, books: Books, irregularities: Iterable[Breach]) -> Audit:
    """Return the audit, once the books hold the last entry; `irregularities` are what the store saw itself."""
    calendar = holdings.calendar
    changed = [] if calendar is None else changed_streaks(holdings, books, calendar)
    breaches = (
        *irregularities,
        *(one.breach for one in holdings.unreadable),
        *books.breaches,
        *breaches_of_accounts(holdings, books),
        *breaches_of_people(holdings, books),
        *breaches_of_evidence(holdings, books),
        *breaches_of_balances(holdings, books),
        *breaches_of_streaks(holdings, changed),
    )
    return Audit(
        len(holdings.members),
        len(holdings.accounts),
        books.entries,
        sorted(dict.fromkeys(breaches), key=lambda breach: _RANK.get(breach.check, len(CHECKS))),
        changed,
        calendar,
    )


def breaches_of_balances(holdings: Holdings, books: Books) -> Iterator[Breach]:
    """Yield the balances that are not the sum of their entries (R9); one that is missing is 0."""
    for member_id in sorted(holdings.balances.keys() | books.sums.keys()):
        if books.doubts.of(member_id):
            continue
        kept, summed = holdings.balances.get(member_id, {}), books.sums.get(member_id, {})
        for source in sorted(kept.keys() | summed.keys()):
            found, expected = kept.get(source, 0), summed.get(source, 0)
            if found != expected:
                what = f"the balance of {source!r}"
                yield Breach(BALANCE, of_member(member_id), what, found, f"{expected}, the sum of its entries")

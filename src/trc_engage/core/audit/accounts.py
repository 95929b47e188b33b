"""Accounts against their entries (R2, R3, R6): each has paid exactly floor((XP - baseline) / 100)."""

from collections.abc import Iterator

from ..model import DiscordActivity
from .books import Books, Tail
from .breaches import Breach
from .forms import Flaw, points_until
from .holdings import Holdings

NEXT_READINGS = {
    "waiting": {"opens"},
    "tracked": {"begins", "continues", "returns", "rebases"},
    "absent": {"continues", "returns", "rebases"},
}
"""How the next reading can be taken; who left or was unlinked may have been anything before."""


def breaches_of_accounts(holdings: Holdings, books: Books) -> Iterator[Breach]:
    """Yield where an account is not what its entries say."""
    for account in holdings.accounts:
        if not books.doubts.of(account.member_id):
            for what, found, expected in _flaws(account, books.tails.get(account.account_id)):
                yield Breach("account", f"account {account.account_id}", what, found, expected)
    known = {account.account_id for account in holdings.accounts}
    if not holdings.unreadable:
        for account_id in books.tails.keys() - known:
            yield Breach("account", f"account {account_id}", "the account of entries", "unknown", "one that is there")


def _flaws(account: DiscordActivity, tail: Tail | None) -> Iterator[Flaw]:
    possible = NEXT_READINGS.get(account.status)
    if possible and account.next_reading not in possible:
        is_found = f"one that {account.next_reading}"
        yield f"the next reading of an account that is {account.status}", is_found, f"one that {_either(possible)}"
    if account.window_from is not None and account.status not in {"tracked", "absent"}:
        yield f"the window of an account that is {account.status}", account.window_from, None
    if (tail is None) != (account.next_reading == "opens"):
        found, expected = ("missing", "there") if tail is None else ("there", "none before it is opened")
        yield "its opening", found, expected
        return
    # The link is its first version, and each of its entries came with another.
    versions = 1 if tail is None else 1 + tail.lines
    if account.version < versions:
        yield "its version", account.version, f"{versions} or more"
    yield from _xp_flaws(account) if tail is None else _tail_flaws(account, tail)


def _xp_flaws(account: DiscordActivity) -> Iterator[Flaw]:
    """Compare an account that waits for its opening with one that has no XP yet."""
    xp = (account.xp_baseline, account.xp_total, account.xp_high, account.xp_posted)
    if xp != (0, 0, 0, 0):
        yield "its XP before the opening", f"{account.xp_total}, baseline {account.xp_baseline}", "0, baseline 0"


def _tail_flaws(account: DiscordActivity, tail: Tail) -> Iterator[Flaw]:
    if account.member_id != tail.member_id:
        yield "its member", "another than that of its entries", "the same"
    by_entry = f"as entry {tail.position} left it"
    if account.xp_baseline != tail.baseline:
        yield "its baseline", account.xp_baseline, f"{tail.baseline}, {by_entry}"
    if account.xp_posted != tail.xp:
        yield "its XP at the last entry", account.xp_posted, f"{tail.xp}, {by_entry}"
    paid = points_until(account.xp_total, account.xp_baseline)
    if paid != tail.paid:
        formula = f"floor((XP {account.xp_total} - baseline {account.xp_baseline}) / 100)"
        yield formula, paid, f"{tail.paid}, the sum of its entries"
    if account.xp_total < 0:
        yield "its XP", account.xp_total, "0 or more"
    if account.xp_high < account.xp_total:
        yield "the higher of its last two readings", account.xp_high, f"{account.xp_total} or more, the last one"
    if account.next_reading == "begins" and account.xp_total:
        yield "the XP of a zero-XP record", account.xp_total, 0


def _either(possible: set[str]) -> str:
    return " or ".join(sorted(possible))

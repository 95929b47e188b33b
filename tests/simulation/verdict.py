"""Whether a read was answered, with which board, and how it must end, judged from the bytes that were sent."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from attrs import frozen

from .oracle import CLOCKS_APART_MAX, Account, Decision, Oracle, Sight
from .process import Read
from .server import Asked
from .troubles import ODD, UNREACHABLE, WAITS

SWEEPS_MAX = 3
TRIES_MAX = 3
GAP_SECONDS = 2.0
DEADLINE_SECONDS = 120.0
BEYOND_GAP_MAX = 0.5
"""By how many seconds a second back-off may exceed the gap."""


class Breach(AssertionError):
    """A broken promise."""


@frozen
class Verdict:
    """How a read must end."""

    kind: str | None
    """The trouble it must be reported as; None if it must be posted."""
    sight: Sight | None = None
    either: bool = False
    """Whether it may also be refused, or reported as another kind."""
    wait_seconds: int | None = None
    """How long the server asked to be left alone."""
    was_asked: bool = True
    """Whether the server was asked at all."""


REPEATED_MIN = 3
"""So many pages in a row without anybody new look like a server that ignores the page's number."""

ANOTHER_BOARD = Verdict("another_board", was_asked=False)
"""The verdict on a board that must not be read."""


def check(holds: object, *told: object) -> None:
    """Raise `Breach` unless a condition holds."""
    if not holds:
        raise Breach(" ".join(str(one) for one in told))


def judged(
    read: Read, oracle: Oracle, accounts: Sequence[Account], at: datetime, decision: Decision | None, *, plain: bool
) -> Verdict:
    """Return how a read must end, given the accounts that it may still change; `plain` is False if it was disturbed."""
    _check_manners(read)
    odd = not plain or any(asked.trouble in ODD for asked in read.log)
    if read.board is None:
        return _failed(read, odd=odd)
    check(odd or read.spent <= DEADLINE_SECONDS, "a read went on after its deadline", read.spent)
    sight = _sight(read)
    if sight.server_at is not None and abs(sight.server_at - at) > CLOCKS_APART_MAX:
        return Verdict("clock")
    if decision == "adopt":
        return Verdict(None if sight.whole and sight.rows else "distrusted", sight)
    if decision is None and oracle.why_distrusted(accounts, sight, at):
        return Verdict("distrusted", sight)
    return Verdict(None, sight)


def _failed(read: Read, *, odd: bool) -> Verdict:
    """Return the verdict on a read that gave no board."""
    if not read.log:
        return Verdict("down")
    last = read.log[-1]
    is_late = read.spent + BEYOND_GAP_MAX * _back_offs(read.log) >= DEADLINE_SECONDS
    if last.rows is None:
        is_tried = last.kind != "down" or last.trouble == UNREACHABLE or _tries(read.log) == TRIES_MAX
        check(odd or is_late or is_tried, f"a read was given up early: {read.error}, {read.spent:g} s, {last}")
        return Verdict(last.kind, either=odd, wait_seconds=WAITS.get(last.trouble or ""))
    repeats = _shows_nobody_new(read.log)
    check(odd or is_late or repeats, f"a read failed without a reason: {read.error}, {read.spent:g} s, {last}")
    return Verdict("malformed" if odd or repeats else "down", either=odd)


def _shows_nobody_new(log: Sequence[Asked]) -> bool:
    """Return whether the last pages repeat earlier ones of their sweep, as on a small board that moves a lot."""
    pages = [asked for asked in log if asked.rows]
    start = max((at for at, page in enumerate(pages) if page.number == 0), default=0)
    ids = [{one for one, _ in page.rows or ()} for page in pages[start:]]
    earlier = set[str]().union(*ids[:-REPEATED_MIN])
    return len(ids) > REPEATED_MIN and all(page <= earlier for page in ids[-REPEATED_MIN:])


def _back_offs(log: Sequence[Asked]) -> int:
    """Count the tries that follow a failure; before each a client may wait beyond the gap."""
    return sum(before.rows is None for before in log)


def _tries(log: Sequence[Asked]) -> int:
    """Count the requests for the last page, including the last one."""
    answered = [number for number, asked in enumerate(log) if asked.rows is not None]
    return len(log) - (answered[-1] + 1 if answered else 0)


def _check_manners(read: Read) -> None:
    """Check that requests keep their distance, and that only outages are tried again (R21)."""
    for before, after in pairwise(read.log):
        check(after.began - before.ended >= GAP_SECONDS - 1e-6, "requests without a gap", before, after)
        if before.rows is None:
            same = (before.number, before.limit) == (after.number, after.limit)
            check(before.kind == "down" and same, "tried again", before, after)
    tries = 0
    for asked in read.log:
        tries = 0 if asked.rows is not None else tries + 1
        check(tries <= TRIES_MAX, "tried too often", read.log)


def _sight(read: Read) -> Sight:
    """Return what a board showed that was read as far as the rules ask for."""
    pages = [asked for asked in read.log if asked.rows is not None]
    check(pages and read.log[-1].rows is not None, "a board without answers", read.log)
    found: dict[str, int] = {}
    for page in pages:
        check(not page.spoilt & read.sought, "a row that cannot be used was passed over", page)
        found |= {one: xp for one, xp in page.rows or () if one in read.sought}
    whole = any(page.length == 0 for page in pages)
    missing = read.sought - found.keys()
    check(whole or not missing, f"half a board was taken for a whole one: {len(missing)} were not looked for")
    revision = {one.discord_id for one, _, is_news in read.snapshot if is_news} & missing
    missed = _missed(pages, frozenset(revision))
    rows = {one for page in pages for one, _ in page.rows or ()}
    return Sight(found, missed, len(rows), whole, pages[0].told_at)


def _missed(pages: Sequence[Asked], revision: frozenset[str]) -> frozenset[str]:
    """Return those who count as not looked for because the board moved during every sweep."""
    if not revision:
        return frozenset()
    sweeps: list[list[Asked]] = []
    again = False
    for before, page in zip([None, *pages], pages, strict=False):
        again = before is not None and before.length == 0 and before.number == page.number
        if again:
            continue
        if page.number == 0:
            sweeps.append([])
        sweeps[-1].append(page)
    ids = [{one for one, _ in page.rows or ()} for page in sweeps[-1]]
    moved = len(set().union(*ids)) < sum(map(len, ids))
    asked_twice = again and pages[-1].length == 0
    if asked_twice and not moved:
        return frozenset()
    check(moved or again, "the end of the board was not asked for again", pages)
    whole_sweeps = sum(sweep[-1].length == 0 for sweep in sweeps)
    check(whole_sweeps >= SWEEPS_MAX, "somebody was given up too early", pages)
    return revision

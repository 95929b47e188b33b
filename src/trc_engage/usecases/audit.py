"""The doctor: check every invariant of a store and rebuild derived data (R9, R14).

`Records.holdings` returns everything but the entries from one snapshot, with the position of the last entry. Entries
never change, so those up to that position can be read page by page afterwards: the result is still consistent, and
no writer waits longer than for one page.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from ..core.audit import BALANCE, NAME, STREAK, Audit, Breach, Holdings, Repair, of_member
from ..core.audit.books import Books
from ..core.audit.checks import conclude, described
from ..core.days import Calendar
from ..core.errors import InvalidValue
from ..core.model import Entry
from ..core.ports import AuditedStore, Records, Store
from ..core.posting import Posting, retry_on_conflict
from .streaks import LateChange, of_pairs

LINES = 2_000
"""How many entries are read at a time."""

logger: logging.Logger = logging.getLogger(__name__)


def audited(store: Store | Records) -> AuditedStore:
    """Return the store as `Records`; raises `InvalidValue` if it does not implement it."""
    missing = [name for name in vars(Records) if not name.startswith("_") and not hasattr(store, name)]
    if missing:
        advice = f"the doctor needs {', '.join(missing)} of it, as the port `Records` has them"
        raise InvalidValue("ledger", type(store).__name__, advice)
    return cast("AuditedStore", store)


def audit(store: Store | Records) -> Audit:
    """Check every invariant; changes nothing. Raises `InvalidValue` for a store without `Records`."""
    records = audited(store)
    irregularities = records.irregularities()
    holdings = records.holdings()
    return conclude(holdings, _folded(records, holdings), irregularities)


def repair(store: Store, now: datetime) -> Repair:
    """Rebuild balances from the entries, streaks from the evidence and words from the names, and audit again.

    Safe to repeat. Rebuilds only what derives from sound data: otherwise the derived values may be the only record
    left. Raises `InvalidValue` for a store without `Records`.
    """
    records = audited(store)
    found = audit(records)
    changes = list(records.rebalance()) if found.can_rebuild(BALANCE) else []
    if found.can_rebuild(STREAK):
        changes += retry_on_conflict(lambda: _restreak(store, now))
    if found.can_rebuild(NAME):
        changes += records.reword()
    for change in changes:
        logger.info("rebuilt: %s: %s: %s -> %s", change.subject, change.what, change.found, change.expected)
    return Repair(changes, audit(records) if changes else found)


def _restreak(store: Store, now: datetime) -> Sequence[Breach]:
    """Post the streaks that follow from the evidence, with the versions and calendar they were derived from."""
    found = audit(store)
    if not found.streaks or not found.can_rebuild(STREAK):
        return ()
    calendar = found.calendar or Calendar()
    derived = of_pairs(found.streaks, calendar, LateChange("repair"))
    store.post(derived.posted_with(Posting(now, calendar=found.calendar)))
    return [
        Breach(STREAK, of_member(after.member_id), "the streak", described(before), described(after))
        for before, after in found.streaks
    ]


def _folded(store: Records, holdings: Holdings) -> Books:
    """Read the entries up to the holdings' last position."""
    books = Books.opened(holdings)
    while books.position < holdings.last_position:
        after = books.position
        lines = store.lines(after=after, limit=LINES)
        page = [line for line in lines if (line.position or 0) <= holdings.last_position]
        books.take(page, _reversed(store, page))
        if books.position == after:
            break
    return books


def _reversed(store: Records, page: Sequence[Entry | Breach]) -> Mapping[int, Entry]:
    """Return the awards that entries of a page reverse, by position."""
    found = {}
    for line in page:
        if isinstance(line, Entry) and line.reverses is not None and 0 < line.reverses < line.position:
            for award in store.lines(after=line.reverses - 1, limit=1):
                if isinstance(award, Entry) and award.position == line.reverses:
                    found[award.position] = award
    return found

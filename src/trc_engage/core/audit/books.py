"""The fold of all entries, page by page, with the checks of each; it keeps totals, not the entries."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, datetime, timedelta

from attrs import Factory, define

from ..model import ADJUSTMENT, DISCORD, SILENT_KINDS, Entry, XpChange
from ..points import XP_PER_POINT
from ..records import ClockDecision
from ..validation import AHEAD_MAX, EARLIEST_AT
from . import BALANCE, Breach, Doubts, Holdings, Row, breaches, of_member

SYNC_KINDS = frozenset({"opening", "gain", "deduction", "rebase"})
_XP = frozenset({"xp"})
FIELDS: Mapping[str, Set[str]] = {
    "award": {"key"},
    "reversal": {"reason", "actor", "reverses"},
    "adjustment": {"key", "reason", "actor"},
    **dict.fromkeys(SYNC_KINDS, _XP),
}
"""The optional fields that each kind must have; it has no others, except those of `MAY_HAVE`."""
MAY_HAVE: Mapping[str, Set[str]] = {
    "award": {"actor"},
    **dict.fromkeys(("deduction", "rebase"), frozenset({"reason", "actor"})),
}
"""The further fields that a kind may have: who decided on it and why (R10, R24)."""
OPTIONAL = ("key", "reason", "actor", "reverses", "xp")
SIGNS = {"award": 1, "gain": 1, "reversal": -1, "deduction": -1, "opening": 0, "rebase": 0}
SIGN_NAMES = {1: "more than 0", -1: "less than 0", 0: "0"}
_NO_TIME = timedelta(0)


def flaws(entry: Entry) -> Iterator[Breach]:
    """Yield the flaws of an entry that need no other entry to see."""
    rows = [*_form(entry), *_source(entry), *_day(entry)]
    if entry.xp is not None and entry.kind in SYNC_KINDS:
        rows += _xp(entry, entry.xp)
    return breaches("entry", f"entry {entry.position}", *rows)


def _form(entry: Entry) -> Iterator[Row]:
    kind, has = entry.kind, FIELDS[entry.kind]
    for name in OPTIONAL:
        is_there = getattr(entry, name) is not None
        if is_there != (name in has) and name not in MAY_HAVE.get(kind, ()):
            found, expected = ("there", "none") if is_there else ("missing", "one")
            yield True, f"the {name} of {_article(kind)}", found, expected
    sign = (entry.points > 0) - (entry.points < 0)
    due = SIGNS.get(kind, sign)
    if sign != due:
        yield True, f"the amount of {_article(kind)}", entry.points, SIGN_NAMES[due]
    yield kind == "adjustment" and not sign, "an adjustment", "0 points", "some"
    heard, due_to_be = ("silent", "loud") if entry.silent else ("loud", "silent")
    yield entry.silent != (kind in SILENT_KINDS), _article(kind), heard, due_to_be
    odd = not entry.counts_as_activity and kind not in {"award", "reversal"}
    yield odd, f"whether {_article(kind)} counts as activity", "no", "yes, for only awards may not"


def irregular(entries: Iterable[Entry]) -> list[Breach]:
    """Return which positions are out of sequence, and which keys occur twice (R8, R23)."""
    keys: dict[str, int] = {}
    found = []
    for position, entry in enumerate(entries, start=1):
        subject = f"entry {entry.position}"
        if entry.position != position:
            found.append(Breach("order", subject, "the position", entry.position, position))
        if entry.key is not None and keys.setdefault(entry.key, position) != position:
            expected = f"one: entry {keys[entry.key]} has it"
            found.append(Breach("key", subject, "its key", "there a second time", expected))
    return found


def rebalanced(before: Mapping[str, Mapping[str, int]], after: Mapping[str, Mapping[str, int]]) -> list[Breach]:
    """Return which balances, by member id and source, have changed."""
    return [
        Breach(BALANCE, of_member(member_id), f"the balance of {source!r}", was.get(source, 0), now.get(source, 0))
        for member_id in sorted({*before, *after})
        for was, now in [(before.get(member_id, {}), after.get(member_id, {}))]
        for source in sorted({*was, *now})
        if was.get(source, 0) != now.get(source, 0)
    ]


def points_until(xp: int, baseline: int) -> int:
    """Return what an account has paid at this XP (R3)."""
    return (xp - baseline) // XP_PER_POINT


def _source(entry: Entry) -> Iterator[Row]:
    kind, source = entry.kind, entry.source
    expected = DISCORD if kind in SYNC_KINDS else ADJUSTMENT if kind == "adjustment" else source
    if source != expected:
        yield True, "the source", repr(source), repr(expected)
    if kind not in SYNC_KINDS and source.strip().casefold() == DISCORD:
        yield kind != "adjustment", "the source", repr(source), "another: only a sync posts to it"


def _day(entry: Entry) -> Iterator[Row]:
    """Compare the day with the instant: an award dated a moment ahead counts for the day of its posting.

    The day of a gain or deduction is the first of its window, that of a reversal its award's, and that of anything
    else its own instant's.
    """
    kind, posted_on = entry.kind, entry.at.date()
    if kind == "award" and entry.at < EARLIEST_AT:
        yield True, "the instant", entry.at, f"one from {EARLIEST_AT.year} on"
    elif kind in {"gain", "deduction"}:
        yield entry.day > posted_on, "the day", entry.day, f"{posted_on} or earlier"
    # A reversal keeps the day of its award, which may have been dated a moment ahead.
    elif kind != "reversal":
        first = (entry.at - (AHEAD_MAX if kind == "award" else _NO_TIME)).date()
        yield not first <= entry.day <= posted_on, "the day", entry.day, posted_on


def _xp(entry: Entry, xp: XpChange) -> Iterator[Row]:
    """Check an entry against its XP: points follow from the floor, and only a rebase moves the baseline."""
    before, after = xp.baseline_before, xp.baseline_after
    if entry.kind == "opening":
        yield (xp.xp_before, before) != (None, None), "what stood before an opening", "something", "nothing"
        yield xp.xp_after != after, "the baseline of an opening", after, f"{xp.xp_after}, the XP read"
        return
    if xp.xp_before is None or before is None:
        yield True, f"what stood before {_article(entry.kind)}", None, "XP and baseline"
        return
    yield entry.kind != "rebase" and after != before, "the baseline after it", after, f"{before}, as before it"
    paid = points_until(xp.xp_after, after) - points_until(xp.xp_before, before)
    yield entry.points != paid, "the amount", entry.points, f"{paid}, by the XP before and after"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "ao" else f"a {kind}"


@define
class Tail:
    """Where an account's chain of entries ends so far."""

    member_id: str
    position: int
    xp: int
    baseline: int
    paid: int = 0
    """Sum of the points of its entries."""
    paid_high: int = 0
    """The highest sum since the opening or last rebase; a higher one means more XP than in any reading since."""
    lines: int = 1


@define
class Books:
    """The fold of the entries, with every breach found on the way."""

    rose: Mapping[date, Set[int]]
    """The accounts with evidence, by day."""
    doubts: Doubts
    sums: dict[str, dict[str, int]] = Factory(lambda: defaultdict(dict))
    """Points by member id and source."""
    tails: dict[int, Tail] = Factory(dict)
    awarded: dict[date, dict[str, int]] = Factory(lambda: defaultdict(dict))
    """How many unreversed awards there are, by day and member."""
    reversed: dict[int, int] = Factory(dict)
    """The position of each reversal, by the award's position."""
    entries: int = 0
    position: int = 0
    synced_at: datetime | None = None
    repairs: list[ClockDecision] = Factory(list)
    """Those that no entry has followed so far."""
    breaches: list[Breach] = Factory(list)

    @classmethod
    def opened(cls, holdings: Holdings) -> "Books":
        """Return books without entries."""
        rose: dict[date, set[int]] = defaultdict(set)
        for rises in holdings.rises:
            rose[rises.day].update(rises.account_ids)
        doubts = Doubts()
        for one in holdings.unreadable:
            doubts.add(one)
        return cls(rose, doubts, repairs=[one for one in holdings.decisions if one.kind == "repaired"])

    def take(self, lines: Sequence[Entry | Breach], awards: Mapping[int, Entry]) -> None:
        """Take the next lines; `awards` are those, by position, that the lines reverse."""
        for line in lines:
            if isinstance(line, Breach):
                self.doubts.add(line)
                self.breaches.append(line)
                self.position = max(line.position or 0, self.position)
                continue
            self._follow(line)
            self.breaches += flaws(line)
            by_source = self.sums[line.member_id]
            by_source[line.source] = by_source.get(line.source, 0) + line.points
            if line.xp is not None:
                self._chain(line, line.xp)
            elif line.kind == "award" and line.counts_as_activity:
                self._count(line, 1)
            elif line.kind == "reversal" and line.reverses is not None:
                self._reverse(line, line.reverses, awards.get(line.reverses))

    def _follow(self, entry: Entry) -> None:
        """Check that positions rise (R23), and that syncs go back in time only by a repair (R22)."""
        self.entries += 1
        while self.repairs and entry.position > self.repairs[0].position:
            self.synced_at = self.repairs.pop(0).at
        if entry.position <= self.position:
            self._note("order", entry, "the position", entry.position, f"one above {self.position}")
        self.position = max(entry.position, self.position)
        if entry.xp is not None:
            if self.synced_at is not None and entry.at < self.synced_at:
                self._note("order", entry, "the instant", entry.at, f"{self.synced_at} or later, as of the sync above")
            self.synced_at = entry.at

    def _chain(self, entry: Entry, xp: XpChange) -> None:
        """Check that each entry of an account begins where the previous one ended (R9)."""
        tail = self.tails.get(xp.account_id)
        if tail is None:
            if entry.kind != "opening" and not self.doubts.of(entry.member_id):
                self._note("chain", entry, f"the first entry of account {xp.account_id}", entry.kind, "opening")
            tail = Tail(entry.member_id, entry.position, xp.xp_after, xp.baseline_after, entry.points)
            tail.paid_high = tail.paid
            self.tails[xp.account_id] = tail
            return
        if not self.doubts.of(entry.member_id):
            self._compare(entry, xp, tail)
        tail.position, tail.xp, tail.baseline = entry.position, xp.xp_after, xp.baseline_after
        tail.paid += entry.points
        tail.lines += 1
        if entry.kind == "gain" and tail.paid > tail.paid_high:
            self._witness(entry, xp.account_id)
        tail.paid_high = tail.paid if entry.kind == "rebase" else max(tail.paid_high, tail.paid)

    def _compare(self, entry: Entry, xp: XpChange, tail: Tail) -> None:
        above = f"as entry {tail.position} left it"
        if entry.kind == "opening":
            self._note("chain", entry, f"account {xp.account_id}", "opened again", "one opening")
        elif xp.xp_before != tail.xp:
            self._note("chain", entry, "the XP before it", xp.xp_before, f"{tail.xp}, {above}")
        elif xp.baseline_before != tail.baseline:
            self._note("chain", entry, "the baseline before it", xp.baseline_before, f"{tail.baseline}, {above}")
        if entry.member_id != tail.member_id:
            expected = f"{of_member(tail.member_id)}, {above}"
            self._note("chain", entry, "its member", of_member(entry.member_id), expected)

    def _witness(self, entry: Entry, account_id: int) -> None:
        """Check that XP above every earlier reading has evidence for the first day of its window (R11a)."""
        if self.repairs and entry.at > self.repairs[0].at and entry.day >= self.repairs[0].at.date():
            # The repair has redated what was earned under a clock that ran ahead.
            return
        if account_id not in self.rose.get(entry.day, ()) and not self.doubts.of(entry.member_id):
            self._note("evidence", entry, f"the activity of account {account_id} on {entry.day}", "missing", "recorded")

    def _reverse(self, entry: Entry, position: int, award: Entry | None) -> None:
        """Check that a reversal takes back an earlier award, in full and only once (R8)."""
        if position in self.reversed:
            what = f"the reversal of entry {position}"
            self._note("reversal", entry, what, "a second one", f"one: entry {self.reversed[position]} is it")
            return
        self.reversed[position] = entry.position
        if award is None or award.kind != "award" or position >= entry.position:
            if not self.doubts.of(entry.member_id):
                self._note("reversal", entry, f"entry {position}, which it takes back,", "no award", "an earlier award")
            return
        if award.counts_as_activity:
            self._count(award, -1)
        for what, found, expected in (
            ("the member", of_member(entry.member_id), of_member(award.member_id)),
            ("the source", repr(entry.source), repr(award.source)),
            ("the day", entry.day, award.day),
            ("the amount", entry.points, -award.points),
            ("whether it counts", entry.counts_as_activity, award.counts_as_activity),
        ):
            if found != expected:
                self._note("reversal", entry, what, found, f"{expected}, by its award, entry {position}")

    def _count(self, award: Entry, change: int) -> None:
        standing = self.awarded[award.day]
        standing[award.member_id] = standing.get(award.member_id, 0) + change

    def _note(self, check: str, entry: Entry, what: str, found: object, expected: object) -> None:
        self.breaches.append(Breach(check, f"entry {entry.position}", what, found, expected))

"""What an entry of each kind must be by itself (R3, R4, R6, R8, R12)."""

from collections.abc import Iterator, Mapping, Set
from datetime import timedelta

from ..entries import ADJUSTMENT, DISCORD, SILENT_KINDS, Entry, XpChange
from ..points import XP_PER_POINT
from ..timing import AHEAD_MAX, EARLIEST_AT

Flaw = tuple[str, object, object]
"""What, found, expected."""

SYNC_KINDS = frozenset({"opening", "gain", "deduction", "rebase"})
_XP = frozenset({"xp"})
FIELDS: Mapping[str, Set[str]] = {
    "award": {"key"},
    "reversal": {"reason", "actor", "reverses"},
    "adjustment": {"key", "reason", "actor"},
    **dict.fromkeys(SYNC_KINDS, _XP),
}
"""Which of its optional fields each kind has; it has no other."""
MAY_HAVE: Mapping[str, Set[str]] = dict.fromkeys(("deduction", "rebase"), frozenset({"reason", "actor"}))
"""Which of them a kind may have besides: who decided on it and why (R10, R24)."""
OPTIONAL = ("key", "reason", "actor", "reverses", "xp")
SIGNS = {"award": 1, "gain": 1, "reversal": -1, "deduction": -1, "opening": 0, "rebase": 0}
SIGN_NAMES = {1: "more than 0", -1: "less than 0", 0: "0"}
_NO_TIME = timedelta(0)


def flaws(entry: Entry) -> Iterator[Flaw]:
    """Yield what is wrong with an entry that can be seen without any other."""
    kind, has = entry.kind, FIELDS[entry.kind]
    for name in OPTIONAL:
        is_there = getattr(entry, name) is not None
        if is_there != (name in has) and name not in MAY_HAVE.get(kind, ()):
            yield f"the {name} of {_article(kind)}", "there" if is_there else "missing", "none" if is_there else "one"
    sign = (entry.points > 0) - (entry.points < 0)
    if kind == "adjustment":
        if not sign:
            yield "an adjustment", "0 points", "some"
    elif sign != SIGNS[kind]:
        yield f"the amount of {_article(kind)}", entry.points, SIGN_NAMES[SIGNS[kind]]
    if entry.silent != (kind in SILENT_KINDS):
        yield f"{_article(kind)}", "silent" if entry.silent else "loud", "loud" if entry.silent else "silent"
    yield from _source_flaws(entry)
    yield from _day_flaws(entry)
    if entry.xp is not None and kind in SYNC_KINDS:
        yield from _xp_flaws(entry, entry.xp)


def points_until(xp: int, baseline: int) -> int:
    """Return what an account has paid at this XP (R3)."""
    return (xp - baseline) // XP_PER_POINT


def _source_flaws(entry: Entry) -> Iterator[Flaw]:
    if entry.kind in SYNC_KINDS:
        expected: str | None = DISCORD
    else:
        expected = ADJUSTMENT if entry.kind == "adjustment" else None
    if expected is None and entry.source.strip().casefold() == DISCORD:
        yield "the source", repr(entry.source), "another: only a sync posts to it"
    elif expected is not None and entry.source != expected:
        yield "the source", repr(entry.source), repr(expected)


def _day_flaws(entry: Entry) -> Iterator[Flaw]:
    """Compare the day with the instant: an award may be dated a moment ahead, and counts for the day of its posting.

    A gain or deduction is dated by the beginning of its window, a reversal by its award; everything else
    by its own instant.
    """
    kind, posted_on = entry.kind, entry.at.date()
    if kind == "award" and entry.at < EARLIEST_AT:
        yield "the instant", entry.at, f"one from {EARLIEST_AT.year} on"
        return
    slack = AHEAD_MAX if kind == "award" else _NO_TIME
    if kind in {"gain", "deduction", "reversal"}:
        # An award of today may have been dated a moment ahead, and be reversed on the same day.
        if kind != "reversal" and entry.day > posted_on:
            yield "the day", entry.day, f"{posted_on} or earlier"
    elif not (entry.at - slack).date() <= entry.day <= posted_on:
        yield "the day", entry.day, posted_on


def _xp_flaws(entry: Entry, xp: XpChange) -> Iterator[Flaw]:
    """Each entry follows from its own XP: points are paid as the floor rises, and only a rebase moves a baseline."""
    if entry.kind == "opening":
        if (xp.xp_before, xp.baseline_before) != (None, None):
            yield "what stood before an opening", "something", "nothing"
        if xp.xp_after != xp.baseline_after:
            yield "the baseline of an opening", xp.baseline_after, f"{xp.xp_after}, the XP read"
        return
    if xp.xp_before is None or xp.baseline_before is None:
        yield f"what stood before {_article(entry.kind)}", None, "XP and baseline"
        return
    if entry.kind != "rebase" and xp.baseline_after != xp.baseline_before:
        yield "the baseline after it", xp.baseline_after, f"{xp.baseline_before}, as before it"
    paid = points_until(xp.xp_after, xp.baseline_after) - points_until(xp.xp_before, xp.baseline_before)
    if entry.points != paid:
        yield "the amount", entry.points, f"{paid}, by the XP before and after"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "ao" else f"a {kind}"

"""A judge of histories, which knows the promises and nothing of how they are kept."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from .calls import Call

WRITES = ("award", "reverse")
Line = tuple[int, str, int, str | None, str]
"""An entry: its position, member, points, key and kind."""


@frozen
class End:
    """What the store holds in the end."""

    lines: Sequence[Line]
    due: Mapping[str, int]
    """The points that each member's XP has earned in all."""
    slots: Sequence[str]
    """Each slot that is recorded as ended, as often as it is recorded."""


@define
class Judge:
    """Compares what callers were told with what the store holds."""

    calls: Sequence[Call]
    end: End
    balances: Sequence[Counter[str]] = field(init=False)
    """Each member's sum after each position."""

    @balances.default
    def _balances(self) -> Sequence[Counter[str]]:
        sums = [Counter[str]()]
        for _, member, points, *_ in self.end.lines:
            sums.append(sums[-1] + Counter())
            sums[-1][member] = sums[-2][member] + points
        return sums

    def breaches(self) -> list[str]:
        """Return every broken promise, with where it was broken."""
        parts = (self._positions(), self._writes(), self._order(), self._reads(), self._standings(), self._once())
        return [*self._sums(), *(breach for part in parts for breach in part)]

    def of(self, *names: str) -> Iterator[Call]:
        """Return the calls of these names."""
        return (call for call in self.calls if call.name in names)

    def _positions(self) -> Iterator[str]:
        """Yield a breach unless each position occurs once, without gaps."""
        if [line[0] for line in self.end.lines] != list(range(1, len(self.end.lines) + 1)):
            yield "positions have gaps, or stand twice"

    def _writes(self) -> Iterator[str]:
        """Yield acknowledged writes that are missing, doubled or different, and entries that no call asked for."""
        lines = {(line[4], line[3]): line for line in self.end.lines if line[4] in WRITES_AS.values()}
        counts = Counter((line[4], line[3]) for line in self.end.lines if line[4] in WRITES_AS.values())
        yield from (f"{name} stands {count} times" for name, count in counts.items() if count > 1)
        asked: dict[tuple[str, str], list[Call]] = defaultdict(list)
        for call in self.of(*WRITES):
            asked[WRITES_AS[call.name], call.asked["key"]].append(call)
        yield from (f"nobody called {name}" for name in lines.keys() - asked.keys())
        for name, calls in asked.items():
            told = {tuple(call.got[:5]) for call in calls if call.returned}
            if told - {lines.get(name)}:
                yield f"{name} was acknowledged as {told}, and stands as {lines.get(name)}"
            made = sum(call.returned and call.got[5] for call in calls)
            if made > 1 or (name in lines and not made and all(call.ended for call in calls)):
                yield f"{name} was made {made} times, by what its callers were told"

    def _order(self) -> Iterator[str]:
        """Yield writes whose position is not above all that were reported before they began."""
        highest = _Highest(self.calls)
        for call in self.of(*WRITES):
            if call.returned and call.got[5] and call.got[0] <= highest.before(call):
                yield f"position {call.got[0]} was given after {highest.before(call)} was told"

    def _reads(self) -> Iterator[str]:
        """Yield pages of the feed with a gap, without what was reported before, or with what was not called yet."""
        highest, births = _Highest(self.calls), self._births()
        for call in self.of("feed"):
            if not call.returned:
                continue
            after, limit = call.asked["after"], call.asked["limit"]
            page = [tuple(line) for line in call.got]
            if page != list(self.end.lines[after : after + len(page)]):
                yield f"a page after {after} is not what stands there"
            if len(page) < limit and after + len(page) < highest.before(call):
                yield f"a page after {after} ends before {highest.before(call)}, which was told before"
            if any(births.get(line[0], 0) > (call.ended or 0) for line in page):
                yield f"a page after {after} holds what nobody had called yet"

    def _births(self) -> Mapping[int, int]:
        """Return, for each position, when the call that made it began."""
        return {call.got[0]: call.began for call in self.of(*WRITES) if call.returned and call.got[5]}

    def _standings(self) -> Iterator[str]:
        """Yield standings that are not the sum of the entries at some instant of the call."""
        highest, births = _Highest(self.calls), sorted(self._births().items())
        for call in self.of("standing"):
            if call.returned:
                first = highest.before(call)
                later = (position for position, began in births if began > (call.ended or 0))
                # A position that was acknowledged but never written is beyond the end.
                last = min(len(self.end.lines), min(later, default=len(self.end.lines) + 1) - 1)
                sums = {self.balances[cut][call.asked["member"]] for cut in range(first, last + 1)}
                if call.got not in sums:
                    yield f"{call.asked['member']} had {call.got} points, which between {first} and {last} nobody had"

    def _once(self) -> Iterator[str]:
        """Yield slots that ended twice, and days that were settled twice or out of order."""
        yield from (f"slot {slot} ended {n} times" for slot, n in Counter(self.end.slots).items() if n > 1)
        told: Counter[str] = Counter(call.got["slot"] for call in self.of("run") if call.returned and call.got["slot"])
        yield from (f"slot {slot} was ended by {n}" for slot, n in told.items() if n > 1)
        settled = [(day, call) for call in self.of("run", "settle") if call.returned for day in call.got["settled"]]
        yield from (f"{day} was settled {n} times" for day, n in Counter(day for day, _ in settled).items() if n > 1)
        for day, call in settled:
            if any(other.is_before(call) and later > day for later, other in settled):
                yield f"{day} was settled after a later day"

    def _sums(self) -> Iterator[str]:
        """Yield members whose XP has not paid exactly once."""
        paid: Counter[str] = Counter()
        for _, member, points, _, kind in self.end.lines:
            if kind in {"opening", "gain", "deduction", "rebase"}:
                paid[member] += points
        for member, due in self.end.due.items():
            if paid[member] != due:
                yield f"{member}'s XP has paid {paid[member]} points of {due}"


WRITES_AS = {"award": "award", "reverse": "reversal"}
"""The kind of the entry that a call makes."""


class _Highest:
    """The highest position that was reported before a call began; calls must be asked about in their order."""

    def __init__(self, calls: Sequence[Call]) -> None:
        written = [(call.ended or 0, call.got[0]) for call in calls if call.returned and call.name in WRITES]
        read = [(call.ended or 0, call.got[-1][0]) for call in calls if call.name == "feed" and call.got]
        self._told = sorted([*written, *read])
        self._next = self._highest = 0

    def before(self, call: Call) -> int:
        """Return the position, or 0 if none had been reported."""
        while self._next < len(self._told) and self._told[self._next][0] < call.began:
            self._highest = max(self._highest, self._told[self._next][1])
            self._next += 1
        return self._highest


def as_line(entry: Any) -> Line:
    """Return what the judge compares of an entry; a reversal's key is the position that it reverses."""
    key = entry.key if entry.reverses is None else str(entry.reverses)
    return entry.position, entry.member_id, entry.points, key, entry.kind

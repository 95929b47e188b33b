"""The `Records` port."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from ...core.audit.breaches import BALANCE, Breach, Change, of_member
from ...core.audit.holdings import Holdings, Rises, Unreadable
from ...core.entries import Entry
from .state import State


class Audited:
    """All that is held; in memory there is nothing that could not be read."""

    _state: State

    def holdings(self) -> Holdings:
        """Return all but the entries, as of one instant."""
        state = self._state
        with state.lock:
            groups: dict[tuple[date, datetime, datetime], list[int]] = defaultdict(list)
            for (day, account_id), window in state.discord_days.items():
                groups[day, window.opens_at, window.closes_at].append(account_id)
            return Holdings(
                len(state.entries),
                [*state.members.values()],
                [*state.accounts.values()],
                {member_id: dict(balance) for member_id, balance in state.balances.items()},
                [*state.streaks.values()],
                [Rises(*key, account_ids) for key, account_ids in groups.items()],
                state.calendar_now(),
            )

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Unreadable]:
        """Return everyone's entries above position `after`, oldest first."""
        with self._state.lock:
            return self._state.entries[after : after + limit]

    def irregularities(self) -> Sequence[Breach]:
        """Return where the n-th entry is not at position n, and keys that stand twice."""
        with self._state.lock:
            entries = list(self._state.entries)
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

    def reword(self) -> Sequence[Change]:
        """Return nothing: here names are searched as they are."""
        return ()

    def rebalance(self) -> Sequence[Change]:
        """Make every balance the sum of its entries, and return which were not."""
        state = self._state
        with state.lock:
            sums: defaultdict[str, dict[str, int]] = defaultdict(dict)
            for entry in state.entries:
                by_source = sums[entry.member_id]
                by_source[entry.source] = by_source.get(entry.source, 0) + entry.points
            before, state.balances = state.balances, sums
        return [
            Change(
                BALANCE, of_member(member_id), f"the balance of {source!r}", kept.get(source, 0), summed.get(source, 0)
            )
            for member_id in sorted(before.keys() | sums.keys())
            for kept, summed in [(before.get(member_id, {}), sums.get(member_id, {}))]
            for source in sorted(kept.keys() | summed.keys())
            if kept.get(source, 0) != summed.get(source, 0)
        ]

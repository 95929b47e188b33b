"""The `Views` port."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from ...core.entries import Entry
from ...core.health import Tally
from ...core.model import Member
from ...core.naming import first_met, sought_words, words_of
from ...core.views import DiscordStanding, Found, MemberFacts, Rank, Standing
from .facts import Facts
from .state import State


class Views(Facts):
    """What people read."""

    _state: State

    def facts(self, member_id: str, today: date, /) -> MemberFacts | None:
        """Return all that makes up where a member stands, as of one instant."""
        with self._state.lock:
            member = self._state.members.get(member_id)
            if member is None:
                return None
            calendar = self._state.calendar_now()
            open_from = calendar.unsettled_until(today)[:1] or (today,)
            open_days = frozenset(one.day for one in self.evidence(member_id, open_from[0], today))
            return MemberFacts(
                self._standing(member), member.enrolled_at, self.streak_of(member_id), calendar, open_days
            )

    def members(self, *, after: str = "", limit: int | None = None) -> Sequence[Standing]:
        """Return where the members beyond an id stand, by member id, without the streaks; all of them for None."""
        with self._state.lock:
            beyond = sorted(member_id for member_id in self._state.members if member_id > after)
            return [self._standing(self._state.members[member_id]) for member_id in beyond[:limit]]

    def find(self, text: str, /, *, limit: int) -> Sequence[Found]:
        """Return who has just this id, then who holds this Discord id, then who has all its words in the name."""
        sought = sought_words(text)
        with self._state.lock:
            known = self._state.members
            by_id = {text} & known.keys() | {one.member_id for one in self._state.linked() if one.discord_id == text}
            named = {member.member_id: words_of(member.name or "") for member in self._visible()}
            ranked = sorted((first, who) for who, words in named.items() if (first := first_met(sought, words)))
            order = [*sorted(by_id), *(who for _, who in ranked if who not in by_id)]
            return [Found(who, known[who].name) for who in order[:limit]]

    def history(self, member_id: str, /, *, limit: int, before: int | None = None) -> Sequence[Entry]:
        """Return a member's entries, newest first, those below position `before`."""
        with self._state.lock:
            entries = self._state.entries if before is None else self._state.entries[: max(before - 1, 0)]
            return [entry for entry in reversed(entries) if entry.member_id == member_id][:limit]

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first."""
        with self._state.lock:
            return self._state.entries[after : after + limit]

    def ranking(self, month: date | None, /, *, limit: int) -> Sequence[Rank]:
        """Return the top of the visible members by the points of a month, named by its first day, or of all time."""
        with self._state.lock:
            ranks = [self._rank(member, month) for member in self._visible()]
        return sorted(ranks, key=lambda rank: (rank.rank, rank.member_id))[:limit]

    def tally(self) -> Tally:
        """Return how much the store holds."""
        with self._state.lock:
            accounts = Counter(account.status for account in self._state.accounts.values())
            return Tally("memory", None, len(self._state.members), dict(accounts), len(self._state.entries))

    def rank_of(self, member_id: str, month: date | None, /) -> Rank | None:
        """Return a member's own rank among the visible ones, even of a hidden member; months as in `ranking`."""
        with self._state.lock:
            member = self._state.members.get(member_id)
            return None if member is None else self._rank(member, month)

    def _rank(self, member: Member, month: date | None) -> Rank:
        points = self._points(member.member_id, month)
        ahead = sum(self._points(other.member_id, month) > points for other in self._visible())
        return Rank(1 + ahead, member.member_id, member.name, points)

    def _points(self, member_id: str, month: date | None) -> int:
        entries = (entry for entry in self._state.entries if entry.member_id == member_id)
        return sum(entry.points for entry in entries if month in {None, entry.day.replace(day=1)})

    def _visible(self) -> list[Member]:
        return [member for member in self._state.members.values() if not (member.is_hidden or member.is_forgotten)]

    def _standing(self, member: Member) -> Standing:
        accounts = [account for account in self._state.accounts.values() if account.member_id == member.member_id]
        by_source = dict(sorted(self._state.balances.get(member.member_id, {}).items()))
        discord = None
        if accounts:
            last = accounts[-1]
            discord = DiscordStanding(last.discord_id, last.status, last.xp_total, last.xp_carried)
        return Standing(
            member.member_id,
            member.name,
            sum(by_source.values()),
            by_source,
            discord,
            is_hidden=member.is_hidden,
            is_forgotten=member.is_forgotten,
        )

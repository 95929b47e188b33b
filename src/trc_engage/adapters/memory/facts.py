"""The reading part of the `Ledger` port."""

from collections.abc import Sequence
from datetime import date

from ...core.days import Calendar
from ...core.entries import DISCORD, Entry, Evidence
from ...core.model import DiscordActivity, Member
from ...core.settling import DayRecord
from ...core.streaks import Streak
from .state import State


class Facts:
    """Members, accounts, entries by key, evidence, days and streaks."""

    _state: State

    def member(self, member_id: str, /) -> Member | None:
        """Return the member with this id."""
        return self._state.members.get(member_id)

    def account_of(self, member_id: str, /) -> DiscordActivity | None:
        """Return the member's account that is not unlinked."""
        with self._state.lock:
            return next((account for account in self._state.linked() if account.member_id == member_id), None)

    def holder_of(self, discord_id: str, /) -> DiscordActivity | None:
        """Return the account, not unlinked, that holds this Discord id."""
        with self._state.lock:
            return next((account for account in self._state.linked() if account.discord_id == discord_id), None)

    def accounts_to_sync(self) -> Sequence[DiscordActivity]:
        """Return every account that is waiting, tracked or absent, by account id."""
        with self._state.lock:
            return [account for account in self._state.linked() if account.status != "left"]

    def linked_accounts(self) -> Sequence[DiscordActivity]:
        """Return every account that is not unlinked, by account id."""
        with self._state.lock:
            return [*self._state.linked()]

    def tracks_anyone(self) -> bool:
        """Tell whether any account is waiting, tracked or absent."""
        return bool(self.accounts_to_sync())

    def entry_of(self, key: str, /) -> Entry | None:
        """Return the award or adjustment that has this key."""
        with self._state.lock:
            return next((entry for entry in self._state.entries if entry.key == key), None)

    def reversal_of(self, position: int, /) -> Entry | None:
        """Return the entry that takes the award at this position back."""
        with self._state.lock:
            return next((entry for entry in self._state.entries if entry.reverses == position), None)

    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[Evidence]:
        """Return what shows that the member was active from day to day, oldest first."""
        with self._state.lock:
            found = [
                Evidence(award.day, award.source, award.position)
                for award in self._state.awards()
                if award.member_id == member_id
            ]
            found += [
                Evidence(day, DISCORD, None, account_id, window.opens_at, window.closes_at)
                for (day, account_id), window in self._state.discord_days.items()
                if self._state.accounts[account_id].member_id == member_id
            ]
        found.sort(key=lambda one: (one.day, one.position or 0, one.account_id or 0))
        return [one for one in found if first_day <= one.day <= last_day]

    def calendar(self) -> Calendar:
        """Return which days are excused, and through which day all are settled."""
        with self._state.lock:
            return self._state.calendar_now()

    def first_evidence_day(self) -> date | None:
        """Return the oldest day for which there is any evidence."""
        with self._state.lock:
            days = {day for day, _ in self._state.discord_days}
            days |= {entry.day for entry in self._state.entries if entry.kind == "award"}
        return min(days, default=None)

    def day_record(self, day: date, /) -> DayRecord:
        """Return who was active on a day, with their streaks."""
        with self._state.lock:
            active = {
                self._state.accounts[account_id].member_id for on, account_id in self._state.discord_days if on == day
            }
            active |= {award.member_id for award in self._state.awards() if award.day == day}
            return DayRecord([self.streak_of(member_id) for member_id in sorted(active)], self._state.news_of(day))

    def rose_on(self, day: date, /) -> int:
        """Return how many accounts' XP rose on a day."""
        with self._state.lock:
            return self._state.rose_on(day)

    def streak_of(self, member_id: str, /) -> Streak:
        """Return the member's stored streak; one of version 0 if none is stored."""
        return self._state.streaks.get(member_id) or Streak(member_id)

    def streaks(self) -> Sequence[Streak]:
        """Return every stored streak, by member id."""
        with self._state.lock:
            return [streak for _, streak in sorted(self._state.streaks.items())]

    def news(self) -> int:
        """Return a number that grows with everything that may be evidence."""
        with self._state.lock:
            return self._state.news()

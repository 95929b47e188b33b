"""The port `Roster`: variants of Discord's roster that break one promise each, as the name of the class says."""

from datetime import timedelta, timezone
from typing import Any

from attrs import evolve

from support.rosters import OnDiscord
from trc_engage.adapters.discord import DiscordRoster
from trc_engage.core.errors import ReadStopped, RosterError
from trc_engage.core.roster import Presence
from trc_engage.testing import RosterContract

from .planting import Planted, under


class TakesAnUnknownGuildForAnEmptyOne(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        try:
            return super().ask(discord_id)
        except RosterError as error:
            if error.kind == "unknown_guild":
                return Presence("gone")
            raise


class TakesAnyNotFoundForGone(DiscordRoster):
    def _presence(self, answer: Any, discord_id: str) -> Presence:
        found = super()._presence(answer, discord_id)
        return Presence("gone") if answer.status == 404 else found


class TakesSomebodyElseForTheMember(DiscordRoster):
    def _presence(self, answer: Any, discord_id: str) -> Presence:
        return super()._presence(answer, "1" if b'"id":"1"' in answer.body else discord_id)


class TakesErrorsForGone(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        found = super().ask(discord_id)
        return Presence("gone") if found.kind == "unknown" else found


class TakesErrorsForPresent(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        found = super().ask(discord_id)
        return Presence("present", why=found.why) if found.kind == "unknown" else found


class SleepsThroughAWait(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        try:
            return super().ask(discord_id)
        except RosterError as error:
            if error.retry_after is not None:
                self._client.pace.pause(error.retry_after.total_seconds())
            raise


class TriesARefusalAgain(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        try:
            return super().ask(discord_id)
        except RosterError:
            return super().ask(discord_id)


class RemembersAnswers(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        known: dict[str, Presence] = self.__dict__.setdefault("known", {})
        if discord_id not in known:
            known[discord_id] = super().ask(discord_id)
        return known[discord_id]


class AsksForSomebodyElseToo(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        super().ask(str(int(discord_id) + 1))
        return super().ask(discord_id)


class TakesIdsForNumbers(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        return super().ask(str(int(float(discord_id))))


class RoundsIds(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        return super().ask(f"{int(discord_id) - 1}" if discord_id.endswith("2") else discord_id)


class ShowsTheToken(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        try:
            return super().ask(discord_id)
        except RosterError as error:
            raise RosterError(
                error.kind, f"{error.message} ({self._client.http.headers['authorization']})", error.retry_after
            ) from error


class NamesTheMember(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        found = super().ask(discord_id)
        return evolve(found, why=found.why and f"{found.why} to {discord_id}")


class TellsNoDate(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        return evolve(super().ask(discord_id), joined_at=None)


class TellsADateWithoutAZone(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        found = super().ask(discord_id)
        return evolve(found, joined_at=found.joined_at and found.joined_at.replace(tzinfo=None))


class TellsADateOfAnotherZone(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        found = super().ask(discord_id)
        return evolve(found, joined_at=found.joined_at and found.joined_at.astimezone(timezone(timedelta(hours=2))))


class ForgetsHowLongToWait(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        try:
            return super().ask(discord_id)
        except RosterError as error:
            raise RosterError(error.kind, error.message) from error


class OverlooksAUsedUpLimit(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        return evolve(super().ask(discord_id), wait=None)


class TakesNoAccessForUnknown(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        try:
            return super().ask(discord_id)
        except RosterError as error:
            if error.kind == "no_access":
                return Presence("unknown", why=error.message)
            raise


class GivesUpForGood(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        if failed := self.__dict__.get("failed"):
            raise failed
        try:
            return super().ask(discord_id)
        except RosterError as error:
            self.__dict__["failed"] = error
            raise


class AsksOnThoughStopped(DiscordRoster):
    def ask(self, discord_id: str, /) -> Presence:
        try:
            return super().ask(discord_id)
        except ReadStopped:
            return Presence("unknown", why="it was stopped")


class SaysTheGuildAsANumber(DiscordRoster):
    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return int(found) if name == "guild_id" else found


MUTANTS: list[Planted] = under(
    "Roster",
    {
        RosterContract: [
            *(
                TakesAnUnknownGuildForAnEmptyOne,
                TakesAnyNotFoundForGone,
                TakesSomebodyElseForTheMember,
                TakesErrorsForGone,
            ),
            *(TakesErrorsForPresent, SleepsThroughAWait, TriesARefusalAgain, RemembersAnswers, AsksForSomebodyElseToo),
            *(TakesIdsForNumbers, RoundsIds, ShowsTheToken, NamesTheMember, TellsNoDate, TellsADateWithoutAZone),
            *(
                TellsADateOfAnotherZone,
                ForgetsHowLongToWait,
                OverlooksAUsedUpLimit,
                TakesNoAccessForUnknown,
                GivesUpForGood,
            ),
            *(AsksOnThoughStopped, SaysTheGuildAsANumber),
        ]
    },
    "made",
    OnDiscord,
)

"""Bugs in how members who come and go are handled, for the oracle of attendance."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from trc_engage import DiscordActivity, Presence, RosterError
from trc_engage.adapters.discord import DiscordRoster
from trc_engage.core import membership, roster as core_roster
from trc_engage.core.model import Move
from trc_engage.usecases import members


def unknown_guild_as_an_empty_one(patch: pytest.MonkeyPatch) -> None:
    """Report everyone as gone if the bot is not on the server."""
    ask = DiscordRoster.ask

    def asked(self: Any, discord_id: str, /) -> Presence:
        try:
            return ask(self, discord_id)
        except RosterError as error:
            if error.kind == "unknown_guild":
                return Presence("gone")
            raise

    patch.setattr(DiscordRoster, "ask", asked)


def any_not_found_as_gone(patch: pytest.MonkeyPatch) -> None:
    """Report a member as gone on any 404, even without Discord's code for it."""
    presence = DiscordRoster._presence

    def told(self: Any, answer: Any, discord_id: str) -> Presence:
        found = presence(self, answer, discord_id)
        return Presence("gone") if answer.status == 404 else found

    patch.setattr(DiscordRoster, "_presence", told)


def one_answer_enough(patch: pytest.MonkeyPatch) -> None:
    """Record a leave after one answer, without waiting for a second."""
    told = core_roster.told

    def confirmed(*args: Any) -> Any:
        check = told(*args)
        return evolve(check, confirmed_at=check.gone_at)

    patch.setattr(core_roster, "told", confirmed)


def no_distrust(patch: pytest.MonkeyPatch) -> None:
    """Believe the roster however many members are reported gone."""
    patch.setattr(core_roster, "GONE_MIN", 10**6)


def strangers_asked_for(patch: pytest.MonkeyPatch) -> None:
    """Ask the roster about someone who is no member of ours."""
    whom = core_roster.whom_to_ask

    def more(accounts: Any, *args: Any, **options: Any) -> Any:
        found = whom(accounts, *args, **options)
        return [*found, evolve(found[0], discord_id="300000000000009999")] if found else found

    patch.setattr(core_roster, "whom_to_ask", more)


def a_rise_that_is_no_activity_taken_for_presence(patch: pytest.MonkeyPatch) -> None:
    """Let the recovery of a stale page keep someone present who has left."""

    def rose_at(move: Move) -> Any:
        rises = move.window is not None and move.xp_total > move.account.xp_total
        opened_at = move.window.opens_at if rises and move.window else None
        return max(filter(None, (opened_at, move.account.rose_at)), default=None)

    patch.setattr(Move, "rose_at", property(rose_at))


def a_return_that_pays_the_absence_twice(patch: pytest.MonkeyPatch) -> None:
    """Pay for what MEE6 counted during an absence on the return, and again by the reading."""
    rejoin = membership.rejoin

    def twice(account: DiscordActivity, *args: Any) -> Any:
        change = rejoin(account, *args)
        if change is None or change.move is None:
            return change
        return evolve(change, move=evolve(change.move, xp_baseline=change.move.xp_baseline - 100))

    patch.setattr(membership, "rejoin", twice)


def events_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Record no events for what the roster reports."""
    posting = members._posting

    def unrecorded(*args: Any) -> Any:
        made = posting(*args)
        return evolve(made, events=[one for one in made.events if one.actor != core_roster.ACTOR])

    patch.setattr(members, "_posting", unrecorded)


def a_wait_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Begin the next round as if Discord had not asked for a wait."""
    patch.setattr(core_roster, "next_round_at", lambda now, *_: now)


def another_server_alike(patch: pytest.MonkeyPatch) -> None:
    """Let answers about one server count for another."""
    told = core_roster.told

    def mixed(check: Any, account: Any, guild_id: str, *rest: Any) -> Any:
        return told(None if check is None else evolve(check, guild_id=guild_id), account, guild_id, *rest)

    patch.setattr(core_roster, "told", mixed)


def asked_every_time(patch: pytest.MonkeyPatch) -> None:
    """Ask about a person every quarter of an hour instead of every hour."""
    patch.setattr(core_roster, "AN_HOUR", timedelta(minutes=15))


BUGS: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    *(unknown_guild_as_an_empty_one, any_not_found_as_gone, one_answer_enough, no_distrust, strangers_asked_for),
    *(a_rise_that_is_no_activity_taken_for_presence, a_return_that_pays_the_absence_twice, events_forgotten),
    *(a_wait_forgotten, another_server_alike, asked_every_time),
)

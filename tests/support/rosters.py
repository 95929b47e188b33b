"""Discord's roster, prepared for the shipped contract."""

# ruff: noqa: D102  the contract says what each does

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import pytest

from trc_engage.adapters.discord import DiscordRoster
from trc_engage.core.errors import RosterTrouble
from trc_engage.testing import RosterContract
from trc_engage.testing.discord import TOKEN, DiscordServer

SHAPES: Mapping[str, Sequence[str]] = {
    "malformed": ("other_member", "no_code", "list"),
    "down": ("internal_error", "not_found_html", "refused_early"),
}


class OnDiscord:
    """Makes rosters of a Discord on loopback for the contract, and changes that Discord."""

    secret = TOKEN
    made: ClassVar[type[DiscordRoster]] = DiscordRoster

    @pytest.fixture(autouse=True)
    def discord(self) -> Iterator[None]:
        """Run a Discord, and close the rosters that were opened on it."""
        self._opened: list[DiscordRoster] = []
        self._pauses: list[float] = []
        with DiscordServer() as self._server:
            yield
            for roster in self._opened:
                roster.close()

    def make_roster(self) -> DiscordRoster:
        server, pause = self._server, self._pauses.append
        roster = self.made.open(server.guild_id, token=server.token, base_url=server.url, pause=pause)
        self._opened.append(roster)
        return roster

    def arrive(self, discord_id: str, joined_at: datetime) -> None:
        self._server.members[discord_id] = joined_at

    def leave(self, discord_id: str) -> None:
        del self._server.members[discord_id]

    def fail(self, kind: RosterTrouble) -> None:
        shapes = SHAPES.get(kind, (kind,))
        for shape in shapes:
            self._server.trouble(shape, 2)
        self._server.trouble(shapes[-1])

    def recover(self) -> None:
        self._server.recover()

    def use_up(self) -> None:
        self._server.limit(1, 30)

    def asked_for(self) -> Sequence[str]:
        return self._server.asked_for

    def pauses(self) -> Sequence[float]:
        return self._pauses


class DiscordContract(OnDiscord, RosterContract):
    """The contract for `DiscordRoster`."""

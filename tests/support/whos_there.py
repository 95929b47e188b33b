"""A community whose members are looked up at a Discord on loopback."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from trc_engage import Engage, Notice
from trc_engage.adapters.discord import DiscordRoster
from trc_engage.core.ports import Store
from trc_engage.core.records import MembershipEvent
from trc_engage.testing.discord import DiscordServer

from .community import IDS, NAMES, Community

JOINED = timedelta(days=300)
"""How long before the story everyone joined."""


class Inbox:
    """A channel that keeps the notices it is sent."""

    channel = "inbox"

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def send(self, notice: Notice, /) -> None:
        """Keep a notice."""
        self.notices.append(notice)

    @property
    def titles(self) -> list[str]:
        """The titles, oldest first."""
        return [notice.title for notice in self.notices]


class Attended(Community):
    """A community with a roster: members chat, leave and come back, and runs go on every quarter of an hour."""

    def __init__(self, server: DiscordServer, ledger: Store | None = None, **options: float) -> None:
        super().__init__(ledger)
        self.server, self.inbox, self.paused = server, Inbox(), list[float]()
        server.clock = lambda: self.now
        settings = {"gap": 0.0, "deadline_seconds": 0.2, **options}
        token, url = server.token, server.url
        self.roster = DiscordRoster.open(
            server.guild_id,
            token=token,
            base_url=url,
            pause=self.paused.append,
            **settings,  # type: ignore[arg-type]
        )
        self.engage = self.using(self.roster)

    def using(self, roster: DiscordRoster) -> Engage:
        """Return the community's `Engage` with another roster."""
        return Engage(ledger=self.ledger, source=self, clock=lambda: self.now, alerts=[self.inbox], roster=roster)

    def begin(self, *names: str) -> None:
        """Enroll members who are on the server, open their accounts, and look each up once."""
        self.enroll(*names)
        for name in names:
            self.server.members[IDS[name]] = self.now - JOINED
        self.sync(**dict.fromkeys(names, 1_000))
        self.engage.check_roster()

    def leave(self, *names: str) -> None:
        """Let members leave Discord."""
        for name in names:
            del self.server.members[IDS[name]]

    def come(self, *names: str) -> None:
        """Let members join Discord."""
        for name in names:
            self.server.members[IDS[name]] = self.now

    def go_on(self, hours: float, minutes: float = 15) -> None:
        """Let time pass, with a run every few minutes."""
        until = self.now + timedelta(hours=hours)
        while self.now < until:
            self.run(timedelta(minutes=minutes))

    def noted(self, *names: str) -> Sequence[MembershipEvent]:
        """Return the events that the roster recorded for some members, or for all."""
        everybody = [event for name in names or NAMES for event in self.ledger.events(name)]
        return [event for event in everybody if event.actor == "roster"]

    def status_of(self, name: str) -> str:
        """Return the status of a member's account."""
        account = self.ledger.account_of(name)
        assert account is not None
        return account.status


@contextmanager
def attended(ledger: Store | None = None, **options: float) -> Iterator[Attended]:
    """Yield a community with a Discord on loopback."""
    with DiscordServer() as server:
        community = Attended(server, ledger, **options)
        with community.roster:
            yield community

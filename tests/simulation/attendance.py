"""Weeks of a community whose members come and go on a Discord with faults of its own, judged by an oracle.

The oracle knows what was asked when, what was true then, what XP was really earned, and the rules (R6, R25); it
reads nothing of the core. `live(seed)` raises `AssertionError` where the system deviates.
"""

from datetime import datetime, timedelta
from random import Random

from attrs import define, field

from support.community import MONDAY, QUARTER
from trc_engage import Board, Engage, Presence, RosterError, RosterReport
from trc_engage.adapters.discord import DiscordRoster
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.testing.discord import DiscordServer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FAULTS = (
    *("token", "unknown_guild", "no_access", "no_code", "other_code", "not_found_html", "rate_limited"),
    *("challenge_503", "rate_limited_absurd", "internal_error", "unavailable", "other_member", "list"),
    *("truncated", "html_200"),
)


@define
class Person:
    """A member in the simulated world."""

    name: str
    discord_id: str
    joined_at: datetime | None
    """None if the person is not on the server."""
    changed_at: datetime
    """When the person last came or went."""
    xp: int = 1_000
    shown: int | None = None
    """What a stale page shows instead, for one read."""
    rises: list[tuple[datetime, datetime]] = field(factory=list)
    """The windows in which a read saw real activity."""
    told: list[tuple[datetime, str, bool | None]] = field(factory=list)
    """When the roster was asked, about which server, and whether the person is there; None if it could not know."""
    known: int | None = None
    """The XP that the ledger should have read last …"""
    baseline: int = 0
    """… and the XP from which it pays."""


class Town:
    """The world, the system in it, and the oracle."""

    def __init__(self, seed: int, server: DiscordServer) -> None:
        self.random, self.server = Random(seed), server
        self.now, self.read_at = MONDAY, MONDAY
        server.clock = lambda: self.now
        self.is_faulty, self.is_elsewhere = False, False
        number = self.random.randint(9, 30)
        self.people = [Person(f"m-{n}", str(300000000000000000 + n), MONDAY - 30 * DAY, MONDAY) for n in range(number)]
        self.by_id = {person.discord_id: person for person in self.people}
        server.members = {one.discord_id: MONDAY - 30 * DAY for one in self.people}
        self.ledger = MemoryLedger()
        settings = {"gap": 0.0, "pause": lambda _: None}
        self.rosters = [
            DiscordRoster.open(guild, token=server.token, base_url=server.url, **settings)  # type: ignore[arg-type]
            for guild in (server.guild_id, "200000000000000009")
        ]
        self.roster = self.rosters[0]
        self.engage = Engage(ledger=self.ledger, source=self, clock=lambda: self.now, roster=self)
        self.events_seen = 0
        self.free_at = MONDAY
        self.statuses: dict[str, str] = {}
        for person in self.people:
            self.engage.enroll(person.name, discord_id=person.discord_id)

    # What the system asks

    def read(self, sought: frozenset[str], /) -> Board:
        """Return the board, with stale readings for some, and record what the ledger should make of it."""
        readings = {}
        for one in self.people:
            if one.discord_id in sought and one.xp >= 0:
                readings[one.discord_id] = one.xp if one.shown is None else one.shown
                self._account(one, readings[one.discord_id])
            one.shown = None
        return Board(readings, whole=True, rows=100, pages=1)

    def _account(self, one: Person, xp: int) -> None:
        """Compute what a reading pays: R2, R4, and R6 for the first one after a return."""
        returns = one.known is not None and self.statuses.get(one.name) == "returning"
        if one.known is None:
            one.baseline = xp
        elif returns and xp < one.known:
            one.baseline += xp - one.known
        one.known = xp
        if returns:
            self.statuses[one.name] = "tracked"

    @property
    def guild_id(self) -> str:
        """The server that is asked about now."""
        return self.roster.guild_id

    def ask(self, discord_id: str, /) -> Presence:
        """Receive a question, check that it may be asked now, and let Discord answer it."""
        person = self.by_id.get(discord_id)
        assert person is not None, f"a stranger was asked for at {self.now}"
        assert self.now >= self.free_at, f"asked at {self.now}, though a wait lasts until {self.free_at}"
        self._check_pace(person)
        truth = None if self.is_faulty else person.joined_at is not None
        if not self.is_faulty and self.is_elsewhere:
            truth = False
        person.told.append((self.now, self.roster.guild_id, truth))
        try:
            return self.roster.ask(discord_id)
        except RosterError as error:
            # Nothing was learned about anyone, so the same question may be asked again.
            person.told.pop()
            if error.retry_after is not None:
                self.free_at = self.now + min(error.retry_after, HOUR)
            raise

    def _check_pace(self, one: Person) -> None:
        """Assert that a person is asked for once an hour at most, once a day if there, and not if a rise proved it."""
        mine = [(at, truth) for at, guild_id, truth in one.told if guild_id == self.roster.guild_id]
        if not mine or one.told[-1][1] != self.roster.guild_id:
            return
        at, truth = mine[-1]
        assert self.now - at >= HOUR, f"{one.name} was asked for twice in an hour, at {at} and {self.now}"
        if truth and self.statuses.get(one.name) != "left":
            assert self.now - at >= DAY, f"{one.name} was there at {at}, and was asked for again at {self.now}"
            proved = any(at <= opened and self.now - opened < DAY for opened, _ in one.rises)
            whole_days = (self.now - at) // DAY
            assert not (proved and whole_days == 1), f"{one.name}'s XP rose since {at}, asked for at {self.now}"

    # What happens

    def live(self, days: int) -> None:
        """Live this many days, then end all faults and check that the ledger has caught up."""
        until = self.now + days * DAY
        fault_until = mass_at = None
        while self.now < until:
            self.now += QUARTER
            if fault_until is None and self.random.random() < 0.01:
                fault_until = self._begin_fault()
            if fault_until is not None and self.now >= fault_until:
                fault_until = None
                self._end_fault()
            if mass_at is None and self.random.random() < 0.001:
                mass_at = self.now
                for one in self.random.sample(self.people, len(self.people) // 2):
                    self._go(one)
            self._deeds()
            self._run()
        self._end_fault()
        for _ in range(3 * 96):
            self.now += QUARTER
            for one in self.people:
                self._flicker(one)
            self._run()
        self._check_all_is_known()

    def _begin_fault(self) -> datetime:
        if self.random.random() < 0.25:
            self.is_elsewhere, self.roster = True, self.rosters[1]
            self.server.guild_id, self._members = self.rosters[1].guild_id, self.server.members
            self.server.members = {}
        else:
            self.is_faulty = True
            self.server.trouble(self.random.choice(FAULTS))
        return self.now + self.random.choice([HOUR, 3 * HOUR, DAY, 2 * DAY])

    def _end_fault(self) -> None:
        if self.is_elsewhere:
            self.server.guild_id, self.server.members = self.rosters[0].guild_id, self._members
            self.roster = self.rosters[0]
            for one in self.people:
                self.server.members.pop(one.discord_id, None)
                if one.joined_at is not None:
                    self.server.members[one.discord_id] = one.joined_at
        self.server.recover()
        self.is_faulty = self.is_elsewhere = False

    def _deeds(self) -> None:
        for one in self.people:
            self._flicker(one)
            chance = self.random.random()
            if one.joined_at is not None and chance < 0.03:
                one.xp = max(one.xp, 0) + self.random.randint(15, 75)
                one.rises.append((self.read_at, self.now))
            elif one.joined_at is not None and chance < 0.033:
                self._go(one)
            elif one.joined_at is None and chance > 0.995:
                self._come(one)

    def _flicker(self, one: Person) -> None:
        """Show a stale page now and then: XP falls and recovers, which is no activity."""
        if one.xp > 0 and self.random.random() < 0.01 and self.statuses.get(one.name) == "tracked":
            one.shown = one.xp - 1

    def _go(self, one: Person) -> None:
        if one.joined_at is not None:
            one.joined_at, one.changed_at = None, self.now
            self.server.members.pop(one.discord_id, None)
            one.rises = [(opened, read) for opened, read in one.rises if read <= self.read_at]

    def _come(self, one: Person) -> None:
        one.joined_at = one.changed_at = self.now
        if not self.is_elsewhere:
            self.server.members[one.discord_id] = self.now
        if self.statuses.get(one.name) == "left" and self.random.random() < 0.4:
            # MEE6 has forgotten them.
            one.xp = 0

    def _run(self) -> None:
        report = self.engage.run_due()
        self.read_at = self.now
        self._judge(report.roster, accepted=False)
        error = None if report.roster is None else report.roster.error
        if error is not None and error.kind == "distrusted" and not self.is_elsewhere and self.random.random() < 0.02:
            self._judge(self.engage.check_roster(accept_departures=True, by="admin-7", reason="true"), accepted=True)

    # What must hold

    def _judge(self, report: RosterReport | None, *, accepted: bool) -> None:
        before = dict(self.statuses)
        events = self.ledger.events(None, after=self.events_seen)
        gone = [one for one in self.people if before.get(one.name) != "left" and self._is_gone(one)]
        for event in events:
            self.events_seen = event.number
            person = next(one for one in self.people if one.name == event.member_id)
            if event.kind == "left":
                self._check_leave(person, len(gone), sum(s != "left" for s in before.values()), accepted=accepted)
                self.statuses[person.name] = "left"
            elif event.kind in {"returned", "never_left"}:
                assert self._answers(person)[-1][1], f"{person.name} is back, but was not told to be there"
                self.statuses[person.name] = "returning" if event.kind == "returned" else "tracked"
            elif event.kind == "linked":
                self.statuses[person.name] = "tracked"
        for one in self.people:
            account = self.ledger.account_of(one.name)
            assert account is not None
            is_left = self.statuses[one.name] == "left"
            assert (account.status == "left") == is_left, f"{one.name} is {account.status}, and no event says why"
            if one.known is not None:
                expected = (one.known - one.baseline) // 100
                assert self.engage.standing(one.name).points == expected, f"{one.name} has not {expected} points"
        assert report is None or report.asked <= 50

    def _answers(self, one: Person) -> list[tuple[datetime, bool]]:
        """Return the clear answers about the server that was asked about last."""
        guild_id = one.told[-1][1] if one.told else ""
        last_other = max((n for n, told in enumerate(one.told) if told[1] != guild_id), default=-1)
        return [(at, truth) for at, _, truth in one.told[last_other + 1 :] if truth is not None]

    def _gone_since(self, one: Person) -> list[datetime]:
        """Return when the person was reported gone, since the last time that the contrary was reported or proved."""
        found: list[datetime] = []
        for at, truth in self._answers(one):
            found = [] if truth or any(found and opened >= found[0] for opened, r in one.rises if r <= at) else found
            found += [] if truth else [at]
        return [] if found and any(opened >= found[0] for opened, _ in one.rises) else found

    def _is_gone(self, one: Person) -> bool:
        return bool(one.told) and one.told[-1][1] == self.roster.guild_id and bool(self._gone_since(one))

    def _check_leave(self, one: Person, gone: int, tracked: int, *, accepted: bool) -> None:
        told = self._gone_since(one)
        assert told, f"{one.name} is noted as left at {self.now}, and was never told to be gone"
        assert told[-1] - told[0] >= HOUR, f"{one.name} is noted as left at {self.now}, told at {told}"
        assert not self.is_elsewhere, f"{one.name} is noted as left of a server where nobody is known"
        is_doubtful = gone >= 5 and gone > 0.1 * tracked
        assert accepted or not is_doubtful, f"{gone} of {tracked} were gone, and {one.name} is noted as left"

    def _check_all_is_known(self) -> None:
        """Assert, days after the last fault, that only those who are gone have left, and the doctor finds nothing."""
        report = self.engage.check_roster()
        if report.error is not None:
            assert report.error.kind == "distrusted"
            self._judge(self.engage.check_roster(accept_departures=True, by="admin-7", reason="true"), accepted=True)
        for one in self.people:
            is_there, is_left = one.joined_at is not None, self.statuses[one.name] == "left"
            assert is_there != is_left, f"{one.name} {'is there' if is_there else 'left'} since {one.changed_at}"
        assert self.engage.audit().is_healthy, self.engage.audit().breaches


def live(seed: int, days: int = 12) -> None:
    """Live one life."""
    with DiscordServer() as server:
        town = Town(seed, server)
        try:
            town.live(days)
        finally:
            for roster in town.rosters:
                roster.close()

"""The commands demo and mee6-server: two simulated weeks of a community, and a local MEE6 with chatting members."""

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Event
from typing import Annotated

from attrs import define, field, frozen

from ...core.errors import InvalidValue, SourceError
from ...core.reports import Standing
from ...core.validation import validate_discord_id
from ...engage import Engage
from ...testing.discord import DiscordServer
from ...testing.mee6 import TROUBLES, Mee6Server
from ..settings import Settings
from ..stores import now
from ..wiring import opened_or_made_ledger, opened_with_source
from ..wording import counted, points, safe
from .options import BadData, command, option
from .output import print_lines, print_table
from .stories import print_history


@command()
def demo() -> None:
    """Simulate two weeks of syncs in seconds.

    Then it shows the members, their points and streaks, and the history of one of them, explained. It brings
    its own MEE6 and ten members, keeps its store in a temporary folder, needs no network and no settings, and
    leaves nothing behind.
    """
    print_lines(BEFORE)
    with (
        _clean_up_on_sigterm(),
        TemporaryDirectory(prefix="trc-engage-demo-", dir=_in_memory()) as folder,
        simulated(Path(folder) / "engage.db") as engage,
    ):
        members = sorted(engage.members(), key=lambda standing: -standing.points)
        standings = [engage.standing(member.member_id) for member in members]
        star, entries = engage.standing(STAR), engage.history(STAR, limit=ENTRIES_MAX)
    print_lines("")
    _print_standings(standings)
    print_lines("")
    print_history(star, entries, limit=ENTRIES_MAX)
    print_lines(AFTER)


MEMORY = "/dev/shm"  # noqa: S108  the folder in it has a name of its own
ENTRIES_MAX = 100

BEFORE = """\
Two weeks at The Revenue Council in a few seconds: ten members and a stranger
on Discord, a MEE6 on this machine, and a sync every 15 minutes.
100 XP are 1 point; the remainder is carried. Weekdays in a row on which a
member earned anything are a streak, settled once each night. The store is in
a temporary folder, which is deleted afterwards.
"""

AFTER = """
You can check each line against the one below it: carried XP before + XP gained
= 100 per point + carried XP after. An entry is posted only when points change.
The first entry pays nothing: XP from before it is history.

Now use your own Discord server. Its leaderboard must be public (see MEE6's
dashboard). To find its id, turn on Developer Mode in Discord, right-click the
server and choose Copy Server ID:

  export TRC_ENGAGE_GUILD_ID=...
  trc-engage members enroll m-1 --discord-id ... --name Ada
  trc-engage sync --dry-run    # shows what would happen
  trc-engage sync              # opens the accounts: no points for history
  trc-engage history m-1

Or try the commands on a simulated leaderboard first: trc-engage mee6-server
"""


def _print_standings(standings: Sequence[Standing]) -> None:
    """Print points and streaks side by side; each demo member has an account and a streak."""
    print_table(
        ("member", "name", ">points", ">streak", ">longest", "status", ">XP", ">carried"),
        [
            (
                *(one.member_id, one.name, one.points, one.streak.current, one.streak.longest),
                *(one.discord.status, one.discord.xp_total, one.discord.xp_carried),
            )
            for one in standings
            if one.streak is not None and one.discord is not None
        ],
    )


def _in_memory() -> str | None:
    """Return a folder in memory, if there is one: two weeks would wait for a real disk some 20,000 times."""
    return MEMORY if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) else None


@contextmanager
def _clean_up_on_sigterm() -> Iterator[None]:
    """Turn SIGTERM into an exit that still cleans up."""
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@frozen
class Person:
    """Someone on the demo's Discord server."""

    name: str
    discord_id: str
    xp_before: int
    """XP earned before the demo begins; it pays nothing."""
    messages_an_hour: float
    """How much they write, from `from_hour` until `until_hour`."""
    from_hour: int
    until_hour: int
    """In UTC, as is `from_hour`."""
    on_weekends: bool = False

    @property
    def member_id(self) -> str:
        """TRC's own id."""
        return f"trc-{self.name.lower()}"

    def writes(self, at: datetime, chance: Random) -> bool:
        """Return whether they write in this minute."""
        if not self.from_hour <= at.hour < self.until_hour or (at.weekday() >= 5 and not self.on_weekends):
            return False
        return chance.random() < self.messages_an_hour / 60


ADA = Person("Ada", "300000000000000001", 4_310, 3.0, 8, 18)
GRACE = Person("Grace", "300000000000000002", 12_840, 5.0, 17, 23, on_weekends=True)
ALAN = Person("Alan", "300000000000000003", 760, 2.5, 20, 24, on_weekends=True)
EDSGER = Person("Edsger", "300000000000000004", 2_055, 0.7, 6, 12)
BARBARA = Person("Barbara", "300000000000000005", 9_120, 1.2, 7, 20)
DENNIS = Person("Dennis", "300000000000000006", 5_080, 0.8, 9, 17)
KATHERINE = Person("Katherine", "300000000000000007", 150, 4.0, 12, 15, on_weekends=True)
RADIA = Person("Radia", "300000000000000008", 3_402, 1.6, 10, 19)
HEDY = Person("Hedy", "300000000000000009", 0, 1.5, 13, 21, on_weekends=True)
MARGARET = Person("Margaret", "300000000000000010", 7_777, 2.0, 9, 16)
STRANGER = Person("a stranger", "300000000000000099", 25_000, 6.0, 0, 24, on_weekends=True)

MEMBERS = (ADA, GRACE, ALAN, EDSGER, BARBARA, DENNIS, KATHERINE, RADIA, HEDY, MARGARET)

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 14
DAY = timedelta(days=1)
SLOTS = 96
SLOTS_AN_HOUR = 4
MINUTES = 15
MOST = 3
MINUTE = timedelta(minutes=1)
SEED = 2026
STAR = DENNIS.member_id
"""The member whose history is shown, because it is eventful."""


@define
class World:
    """The state of the simulation."""

    at: datetime = MONDAY
    """The simulated time."""
    here: list[Person] = field(factory=lambda: [*MEMBERS, STRANGER])
    """Who is on the Discord server."""
    chance: Random = field(factory=lambda: Random(SEED))  # noqa: S311  chance, not secrecy
    failures: int = 0
    is_settled: bool = True
    """Whether every day that is over is settled."""
    server: Mee6Server = field(init=False)
    engage: Engage = field(init=False)

    def chat(self) -> None:
        """Let a quarter of an hour pass, minute by minute."""
        for _ in range(MINUTES):
            self.at += MINUTE
            for person in self.here:
                if person.writes(self.at, self.chance):
                    self.server.board.post(person.discord_id)

    def sync(self) -> None:
        """Sync, as every 15 minutes; if MEE6 is down, the next sync makes up for it."""
        try:
            report = self.engage.sync()
        except SourceError as error:
            if not self.failures:
                self.print(f"the sync fails: {error.kind}; nothing changes")
            self.failures += 1
            return
        if self.failures:
            self.print(f"after {self.failures} failed syncs, this one finds all the XP: {points(report.points)}")
            self.failures = 0
        if not self.is_settled:
            self.settle()
        if report.opened:
            self.print(f"the sync opens {counted(report.opened, 'account')}: no points for history")
        if report.deducted:
            self.print(f"the sync takes back what that XP had paid: {points(report.points)}")

    def settle(self) -> None:
        """Settle the days that are over, as every night at 00:05; print one that waited for a sync."""
        report = self.engage.settle()
        self.is_settled = not report.pending
        for day in report.settled:
            if self.at.hour:
                self.print(f"{day:%A}, which waited for it, is settled: no streak broke")

    def print(self, event: str) -> None:
        """Print what happens, and when."""
        print_lines(f"{self.at:%a %d %b %H:%M}  {event}")

    def happen(self, day: int, hour: int) -> None:
        """Play the event of this hour, if the story has one."""
        board = self.server.board
        match day, hour:
            case 3, 11:
                self.print(f"Margaret links her Discord account; her {board.xp(MARGARET.discord_id):,} XP are history")
                self.engage.link(MARGARET.member_id, MARGARET.discord_id)
            case 4, 19:
                self.print("Alan leaves Discord; his XP is kept, on MEE6's board too")
                self.here.remove(ALAN)
                board.leave(ALAN.discord_id)
                self.engage.leave(ALAN.member_id)
            case 8, 17:
                self.print("MEE6 is down (502 Bad Gateway)")
                self.server.trouble("bad_gateway")
            case 9, 8:
                self.print("MEE6 is back")
                self.server.recover()
            case 9, 14:
                self.print("an admin takes 650 XP from Dennis, for spam")
                board.remove(DENNIS.discord_id, 650)
            case 10, 20:
                self.print("Alan is back; syncing goes on from the XP that was kept")
                self.here.append(ALAN)
                board.join(ALAN.discord_id)
                self.engage.rejoin(ALAN.member_id)

    def live(self, day: int) -> None:
        """Simulate one day: in each slot its events, a sync, and 15 minutes of chat."""
        self.is_settled = day == 0
        before = {standing.member_id: standing.points for standing in self.engage.members()}
        for slot in range(SLOTS):
            if not slot % SLOTS_AN_HOUR:
                self.happen(day, slot // SLOTS_AN_HOUR)
            self.sync()
            self.chat()
        gains = [(one.points - before[one.member_id], one.name) for one in self.engage.members()]
        gains.sort(key=lambda gain: -gain[0])
        most = ", ".join(f"{name} {gain:+,}" for gain, name in gains[:MOST] if gain > 0)
        print_lines(f"{MONDAY + day * DAY:%a %d %b}        {points(sum(gain for gain, _ in gains))}, most to {most}")


@contextmanager
def simulated(store: Path) -> Iterator[Engage]:
    """Simulate the two weeks into a store, and yield the `Engage` that reads it."""
    world = World()

    def clock() -> datetime:
        return world.at

    with Mee6Server.start(clock=clock, seed=SEED) as world.server:
        settings = Settings(store=store, guild_id=world.server.guild_id, source_url=world.server.url)
        # The introduction has said so already.
        opened_or_made_ledger(settings, lambda _: None).close()
        with opened_with_source(settings, clock=clock, page_gap=0.0, pause=lambda _seconds: None) as world.engage:
            for person in world.here:
                world.server.board.join(person.discord_id, username=person.name, xp=person.xp_before)
            for person in MEMBERS:
                linked = None if person is MARGARET else person.discord_id
                world.engage.enroll(person.member_id, discord_id=linked, name=person.name)
            for day in range(DAYS):
                world.live(day)
            yield world.engage


@command("trc-engage mee6-server --port 8066 --members 50", "trc-engage mee6-server --trouble rate_limited")
def mee6_server(
    *,
    port: Annotated[int, option("PORT", "The port on 127.0.0.1; 0 picks a free one.", min=0, max=65_535)] = 0,
    guild_id: Annotated[str, option("ID", "The Discord server it serves.")] = "200000000000000001",
    members: Annotated[int, option("N", "How many people chat.", min=1, max=10_000)] = 10,
    trouble: Annotated[str | None, option("NAME", "Answer with this trouble; 'list' shows all.")] = None,
    keep: Annotated[Path | None, option("FOLDER", "Keep the XP there; its file `trouble` names the trouble.")] = None,
) -> None:
    """Serve a MEE6 leaderboard for trying things out.

    It listens on 127.0.0.1, and its people write messages and earn XP. It answers as MEE6 does, faults included. It
    also runs a stand-in for Discord, which knows who is on the server. It prints what to type in another terminal,
    and runs until you press Ctrl-C. With --keep, FOLDER must exist: people have their XP again at the next start, and
    `echo private > FOLDER/trouble` switches the trouble while it runs; an empty file ends it.
    """
    if trouble == "list":
        print_table(("trouble", "what it is"), [(known.name, known.imitates) for known in TROUBLES.values()])
        return
    if trouble is not None and trouble not in TROUBLES:
        raise BadData(f"no trouble is called {trouble!r}; {ALL_TROUBLES}")
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with _started(port, guild_id) as server, DiscordServer(guild_id, token=DISCORD_TOKEN) as discord:
        ids = _join(server, members, keep)
        discord.members |= dict.fromkeys(ids, now())
        server.board.rate = 10.0  # of MEE6's, so that each minute pays a point or two
        if keep is not None and trouble is not None:
            (keep / TROUBLE).write_text(trouble)
        served = {"url": server.url, "guild_id": guild_id, "members": members, "discord_url": discord.url}
        print_lines(READY.format(first_id=ids[0], first_name=ADA.name, token=DISCORD_TOKEN, **served))
        is_in = _switched(server, trouble or "", "")
        chance = Random()  # noqa: S311  chance, not secrecy
        while not stop.wait(CHAT_SECONDS):
            for discord_id in chance.sample(ids, k=max(1, members // 10)):
                server.board.post(discord_id)
            if keep is not None:
                _save(server, keep)
                is_in = _switched(server, _text(keep / TROUBLE), is_in)


TROUBLE, XP = "trouble", "xp.json"
ALL_TROUBLES = "`trc-engage mee6-server --trouble list` shows all"
DISCORD_TOKEN = "try-it"  # noqa: S105  for loopback only


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace").strip() if path.exists() else ""


def _save(server: Mee6Server, folder: Path) -> None:
    part = folder / f"{XP}.part"
    part.write_text(json.dumps(dict(server.board.rows())))
    part.replace(folder / XP)


def _switched(server: Mee6Server, trouble: str, before: str) -> str:
    """Make the server answer with a trouble, or with none, and print which; return the one asked for."""
    if trouble != before:
        server.recover()
        if trouble in TROUBLES:
            server.trouble(trouble)
        unknown = f" is not known; {ALL_TROUBLES}" if trouble not in {*TROUBLES, ""} else ""
        print_lines(f"trouble: {safe(trouble) or 'none'}{unknown}")
    return trouble


FIRST_ID = int(ADA.discord_id)
CHAT_SECONDS = 1.0
XP_BEFORE_MAX = 5_000

READY = """\
MEE6 is at {url}, with {members} people who chat; press Ctrl-C to stop it.

In another terminal:

  export TRC_ENGAGE_MEE6_URL={url}
  export TRC_ENGAGE_GUILD_ID={guild_id}
  export TRC_ENGAGE_STORE=try.db

  trc-engage members enroll m-1 --discord-id {first_id} --name {first_name}
  trc-engage sync          # opens the account; then, a minute later:
  trc-engage sync --fresh  # pays what was earned since
  trc-engage history m-1

To try asking Discord who left and who is back:

  export TRC_ENGAGE_DISCORD_URL={discord_url}
  export TRC_ENGAGE_DISCORD_TOKEN={token}

  trc-engage roster check
"""


def _started(port: int, guild_id: str) -> Mee6Server:
    try:
        return Mee6Server.start(port=port, guild_id=validate_discord_id(guild_id))
    except InvalidValue as error:
        raise InvalidValue("guild_id", guild_id, error.advice) from error
    except OSError as error:
        raise InvalidValue("port", port, f"cannot listen there ({error.strerror}); 0 picks a free one") from error


def _join(server: Mee6Server, members: int, keep: Path | None) -> list[str]:
    """Let people join the server, with the XP that was kept or a random amount."""
    if keep is not None and not keep.is_dir():
        raise BadData(f"{keep}: there is no such folder; create it first")
    try:
        kept = dict(json.loads((keep and _text(keep / XP)) or "{}"))
    except (TypeError, ValueError) as error:
        raise BadData(f"{keep}/{XP} is not as it was written ({error}); delete it") from error
    ids = [str(FIRST_ID + number) for number in range(members)]
    chance = Random(members)  # noqa: S311  chance, not secrecy
    for number, discord_id in enumerate(ids):
        name = MEMBERS[number].name if number < len(MEMBERS) else f"Member {number + 1}"
        server.board.join(discord_id, username=name, xp=kept.get(discord_id) or chance.randint(1, XP_BEFORE_MAX))
    return ids

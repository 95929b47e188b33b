"""Every command that can answer in JSON, run on the store of a `World`, in the order of a day."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import typer
from typer.main import get_command

from support.command import Ran
from trc_engage.entrypoints.cli import app
from trc_engage.testing.discord import DiscordServer
from trc_engage.testing.mee6 import Mee6Server

from .transcripts import Transcripts, pretty
from .world import IDS, LATE_ID, World

JSON = "--json"
SECONDS_MAX = 60
NOBODY_LISTENS = "http://127.0.0.1:9/api/webhooks/1/token"
OTHER_GUILD = "300000000000000003"
DISCORD_JOINED = datetime(2025, 5, 6, 7, 8, 9, tzinfo=UTC)
NEW_IDS = (LATE_ID, "80351110224670001", "80351110224670003", "80351110224679001")
"""The ids that were linked since."""
GOOD_ROWS = 'member_id,discord_id,name\nnew-1,80351110224670001,Nina\nnew-2,,"O\'Hara, ""Pat"""\nada,,Ada\n'
BAD_ROWS = f"member_id,discord_id,name\nnew-3,80351110224670003,\nnew-4,12x,Tom\nnew-5,{IDS['ada']},\n,,Nobody\n"
JSON_ROWS = '[{"member_id": "new-6", "name": "𝕁"},\n {"member_id": "new-7", "discord_id": 80351110224670007}]'
READERS = ("ada", "bo", "cy", "eli", "fay", "gus", "hal", "ivy", "jo", "kim", "lou", "mei", "Ü-1", "nobody")
DAYS: Mapping[str, Sequence[str]] = {
    "bo": ("02-19", "02-16", "02-05"),
    "eli": ("02-10", "01-30"),
    "hal": ("02-19",),
    "jo": ("02-03", "02-02"),
    "kim": ("02-18", "02-17", "02-10"),
    "Ü-1": ("02-26",),
}
"""Days for which `why` says something that it says for no other."""


def commands_with_json() -> set[str]:
    """Return every command that has `--json`, as it is typed, found in the app itself."""
    found: set[str] = set()

    def walk(group: typer.core.TyperGroup, path: tuple[str, ...]) -> None:
        for name in group.list_commands(typer.Context(group)):
            command = group.get_command(typer.Context(group), name)
            if isinstance(command, typer.core.TyperGroup):
                walk(command, (*path, name))
            elif command is not None and any(JSON in parameter.opts for parameter in command.params):
                found.add(" ".join([*path, name]))

    root = get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    walk(root, ())
    return found


class Commands:
    """Types commands, and has each written down under its name."""

    def __init__(self, world: World, transcripts: Transcripts) -> None:
        self.world = world
        self._transcripts = transcripts
        self._names = commands_with_json()

    def type(self, line: str, *more: str, **env: str) -> Ran:
        """Type a command with `--json`; `more` are arguments with spaces, `env` its own variables."""
        arguments = (*line.split(), *more, *(() if "--csv" in line else (JSON,)))
        ran = self.world.operator.call(*arguments, env=env)
        name = max((name for name in self._names if f"{line} ".startswith(f"{name} ")), key=len)
        shown = ran.out
        if JSON in arguments and ran.out and name != "export":
            shown = pretty(ran.json)
            assert ran.out == f"{json.dumps(ran.json)}\n"
        typed = " ".join(repr(one) if " " in one else one for one in arguments)
        asked = f"{self.world.now():%F %T} $ trc-engage {typed}"
        asked = " ".join([*(f"{name}=…" for name in env), asked])
        errors = "\n".join(f"2> {error}" for error in ran.err.splitlines())
        self._transcripts.add(name, asked, errors, shown, f"exit code {ran.code}")
        return ran

    def read(self) -> None:
        """Ask for everything that can be read."""
        for member in READERS:
            self.type(f"show {member}")
            self.type(f"history {member}")
            self.type(f"explain {member} --days 3")
        for options in ("--limit 2", "--limit 2 --before 60", "--limit 0", "--before 0", "--limit 10001"):
            self.type(f"history ada {options}")
        self.type("explain ada --days 0")
        for member, days in DAYS.items():
            for day in days:
                self.type(f"why {member} --day 2026-{day}")
        months = ("--month 2026-02", "--month 2026-01", "--month 2025-12", "--month 2026-13", "--month x")
        for options in ("", *months, "--limit 3", "--limit 0", "--member ivy", "--member jo --limit 2"):
            self.type(f"leaderboard {options}")
        for member in ("fay", "nobody", "ada --month 2026-02"):
            self.type(f"leaderboard --member {member}")
        self.type("members list")
        for member in ("ada", "eli", "kim", "nobody"):
            self.type(f"members events {member}")
        for what in ("entries", "members", "events"):
            self.type(f"export {what}")
            self.type(f"export {what} --csv")
        self.type("export points")
        self.type("status")
        self.type("doctor")
        self.type("alerts test")
        self.type("settings", TRC_ENGAGE_STORE="postgresql://engage:secret@db.example/trc", TRC_ENGAGE_SOTRE="a slip")

    def check_roster(self) -> None:
        """Ask a Discord that allows three questions an hour who is there: one member is not."""
        with DiscordServer(clock=self.world.now) as server:
            env = {"TRC_ENGAGE_DISCORD_TOKEN": server.token, "TRC_ENGAGE_DISCORD_URL": server.url}
            env["TRC_ENGAGE_DISCORD_GUILD_ID"] = server.guild_id
            server.members |= {discord_id: DISCORD_JOINED for name, discord_id in IDS.items() if name != "bo"}
            self.type("roster check")
            server.limit(3, per_seconds=3_600)
            self.type("roster check --dry-run", **env)
            self.type("roster check", **env)
            self.world.go(timedelta(hours=1))
            self.type("roster check", **env)
            self.type("roster check --accept-departures", **env)
            self.world.go(timedelta(hours=1))
            server.trouble("no_access")
            self.type("roster check --accept-departures --yes --by admin-7 --reason", "they left", **env)
            self.type("status")

    def read_at_work(self) -> None:
        """Ask for what others see while a run reads the board."""
        world = self.world
        reading, asked = Event(), Event()

        def hold(_page: int) -> None:
            reading.set()
            asked.wait(SECONDS_MAX)

        world.go(timedelta(minutes=15))
        world.server.between_pages = hold
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(world.engage.run_due)
            assert reading.wait(SECONDS_MAX)
            world.server.between_pages = None
            for name in ("status", "sync", "run-due"):
                self.type(name)
            asked.set()
            running.result()

    def book(self) -> None:
        """Book by hand: successfully, repeatedly, late, and refused."""
        award = "award bo --source benchmark --points 7 --key cli:1"
        for line in (award, award, f"{award}1 --at 2026-02-19T18:00Z", award.replace("7", "8")):
            self.type(line)
        for wrong in ("nobody --points 1 --source x", "bo --points 0 --source x", "bo --points 1 --source discord"):
            self.type(f"award {wrong} --key cli:2")
        for at in ("2026-03-04T09:00", "2026-03-05T00:00Z", "yesterday", "2026-03-04T10:00:00.123456+01:00"):
            self.type(f"award bo --points 1 --source x --key cli:3 --at {at}")
        for line in ("reverse cli:11", "reverse cli:11", "reverse cli:none", "reverse fix:1"):
            self.type(f"{line} --by admin-7 --reason", "not his own")
        self.type("award bo --source benchmark --points 7 --key cli:11 --at 2026-02-19T18:00Z")
        for line in ("jo --points -4", "jo --points -4", "jo --points 4", "nobody --points 1", "jo --points 0"):
            self.type(f"adjust {line} --key cli:4 --by admin-7 --reason", "a typo, 🙂")
        self.type("adjust jo --points 1 --key cli:5 --by admin-7 --reason", " ")

    def decide_days(self) -> None:
        """Excuse days, and settle."""
        for line in ("2026-02-19", "2026-02-19", "2026-03-09", "2026-02-21", "soon"):
            self.type(f"excuse {line} --by admin-7 --reason", "a holiday")
        for line in ("2026-02-20 2026-02-23", "2026-02-20", "2026-02-23 --undo"):
            self.type(f"excuse {line} --member ada --by admin-7 --note", "a call", "--reason", "a fever")
        undone = "2026-02-19 --undo --by admin-7 --reason open"
        for line in (undone, undone, "2026-02-19", "--list"):
            self.type(f"excuse {line}")
        for line in ("", "--accept-quiet 2026-03-04", "--accept-quiet 2026-02-21", "--accept-quiet x"):
            self.type(f"settle {line} --by admin-7 --reason quiet --yes" if line else "settle")

    def enroll(self) -> None:
        """Change members and links."""
        new, taken = "80351110224670010", IDS["ada"]
        for options in ("", "", f"--discord-id {new} --name Nan", f"--discord-id {taken}", "--discord-id 12x"):
            self.type(f"members enroll new-0 {options}")
        self.type("members enroll new-0 --name", "Nan the\tSecond")
        for line in (f"jo {taken}", "jo 80351110224670011", "jo 80351110224670011", f"nobody {new}", "jo 0"):
            self.type(f"members link {line}")
        for name in ("left", "returned", "unlink", "hide", "show"):
            for member in ("jo", "jo", "nobody", "new-2"):
                self.type(f"members {name} {member}")
        self.type("members forget new-0")
        for member in ("new-0", "new-0", "nobody"):
            self.type(f"members forget {member} --yes")
        self.type("members enroll new-0 --name Back")
        for name, rows in {
            "good.csv": GOOD_ROWS,
            "bad.csv": BAD_ROWS,
            "rows.json": JSON_ROWS,
            "no.csv": "name\n",
        }.items():
            (self.world.operator.folder / name).write_text(rows)
            self.type(f"members import {name}")
        for file in ("good.csv", "bad.csv --skip-bad", "rows.json --skip-bad", "missing.csv"):
            self.type(f"members import {file}")
        (self.world.operator.folder / "here.txt").write_text(f"{IDS['ada']}\n{IDS['eli']}\n")
        for options in ("--dry-run", "", "--accept-departures"):
            self.type(f"members reconcile here.txt {options}")
        self.type("members reconcile good.csv --dry-run")

    def sync(self) -> None:
        """Sync by hand, with good and bad boards."""
        world = self.world
        for name in ("lou", "ada", "bo", "dee", "cy", "ivy"):
            world.server.board.give(IDS[name], 700)
        for number in range(1, 12):
            world.server.board.join(f"803511102246700{number:02}", username=f"new {number}", xp=50 * number)
        self.type("settle")
        world.go(timedelta(minutes=15))
        for options in ("--dry-run", "", "", "--accept-drops --rebase-drops"):
            self.type(f"sync {options}")
            # Requests are some seconds apart, which a clock that stands still would make it wait for.
            world.go(timedelta(seconds=10))
        for name in ("ada", "bo", "cy", "dee", "ivy", "gus"):
            world.board(name, 90)
        world.go(timedelta(minutes=15))
        for options in ("--dry-run", "--fresh", "--dry-run --accept-drops", "--dry-run --rebase-drops"):
            self.type(f"sync {options}")
            world.go(timedelta(minutes=1))
        self.type("status")
        world.go(timedelta(minutes=10))
        self.type("sync --accept-drops --by admin-7 --reason drop --yes")
        self.type("status")
        for trouble in ("private", "rate_limited_seconds"):
            world.go(timedelta(minutes=15))
            world.server.trouble(trouble, times=1)
            self.type("sync")
        world.go(timedelta(minutes=1))
        self.type("sync --fresh")
        self.type("status")
        self.type("sync", "--no-such-option")

    def run(self) -> None:
        """Run what is due: nothing, a good slot, a wait, failures in a row, and what came after."""
        world = self.world
        for _ in range(2):
            self.type("run-due")
            self.type("run-due")
            world.go(timedelta(minutes=15))
        for trouble in ("blocked", "unknown_guild", "private"):
            world.server.trouble(trouble, times=1)
            self.type("run-due")
            world.go(timedelta(minutes=15))
        for _ in range(5):
            self.type("run-due")
            world.go(timedelta(minutes=15))
        self.type("status")
        world.server.trouble("private")
        world.go(datetime(2026, 3, 5, 0, 5, 30, tzinfo=UTC))
        for name in ("settle", "run-due", "status", "explain ada --days 3"):
            self.type(name)
        world.server.recover()
        world.go(timedelta(minutes=15))
        self.type("run-due")
        world.go(datetime(2026, 3, 6, 0, 5, 30, tzinfo=UTC))
        for name in (
            "run-due",
            "status",
            "settle",
            "settle --accept-quiet 2026-03-05 --by admin-7 --reason quiet --yes",
            "status",
            "show ada",
        ):
            self.type(name)
        self.type("members list")
        world.server.trouble("private")
        for _ in range(4):
            world.go(timedelta(minutes=15))
            self.type("run-due", TRC_ENGAGE_ALERT_WEBHOOK=NOBODY_LISTENS)
        self.type("status", TRC_ENGAGE_ALERT_WEBHOOK=NOBODY_LISTENS)

    def repair(self) -> None:
        """Let the doctor find and repair a balance that was changed by hand."""
        self.type("doctor --repair")
        self.world.damage("UPDATE balances SET points = points + 7 WHERE member_id = 'bo' AND source = 'discord'")
        for options in ("", "--repair", ""):
            self.type(f"doctor {options}")

    def decide_the_clock(self) -> None:
        """Confirm a clock that is not held back, and repair one that was not ahead: neither finds anything to do."""
        for line in ("confirm --by admin-7 --reason wrong", "repair --dry-run", "repair --by admin-7 --reason wrong"):
            self.type(f"clock {line}")

    def adopt(self) -> None:
        """Read another board: it is refused until an admin adopts it, and then the first one is refused."""
        world = self.world
        with Mee6Server.start(guild_id=OTHER_GUILD) as other:
            for discord_id in (*IDS.values(), *NEW_IDS):
                other.board.join(discord_id, xp=5_000)
            env = {"TRC_ENGAGE_GUILD_ID": OTHER_GUILD, "TRC_ENGAGE_MEE6_URL": other.url}
            world.server.recover()
            for options in ("--dry-run", "", "--adopt-board", "--adopt-board --by me --reason moved"):
                world.go(timedelta(minutes=15))
                self.type(f"sync {options}", **env)
            self.type("status")
            self.type("sync --adopt-board --by me --reason moved --yes", **env)
            self.type("status")
        world.go(timedelta(minutes=15))
        self.type("sync --fresh")
        self.type("history ada --limit 1")
        self.type("doctor")

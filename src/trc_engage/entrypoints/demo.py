"""The demo: a fortnight of a small community, lived in seconds on a clock of its own."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..core.views import Standing
from .sentences.entries import say_history
from .text import say, say_table

MEMORY = "/dev/shm"  # noqa: S108  the folder in it has a name of its own
ENTRIES_MAX = 100

BEFORE = """\
A fortnight at The Revenue Council in a few seconds: ten members and a stranger
on Discord, a MEE6 of its own on this machine, a sync every 15 minutes.
100 XP are 1 point; what is left over is carried. Weekdays in a row on which
anything was earned are a streak, settled once each night. A store is made for
it in a temporary folder, and is gone afterwards.
"""

AFTER = """
Each line can be checked from the one below it: carried XP before + XP gained
= 100 for each point + carried XP after. A line is posted where points change;
until then XP waits for the next. The first line of all pays nothing: history.

Go on with your own server. Its leaderboard must be public (MEE6's dashboard);
its id is found in Discord (Developer Mode, right-click it, Copy Server ID):

  export TRC_ENGAGE_GUILD_ID=...
  trc-engage members enroll m-1 --discord-id ... --name Ada
  trc-engage sync --dry-run    # what would happen?
  trc-engage sync              # opens the accounts: no points for history
  trc-engage history m-1

Or first try them on a board that chats by itself: trc-engage mee6-server
"""


def run() -> None:
    """Live the fortnight, show what came of it, and leave nothing behind."""
    say(BEFORE)
    # What follows takes longer to load than to read the lines above.
    from .fortnight import STAR, lived  # noqa: PLC0415

    with (
        _swept_on_sigterm(),
        TemporaryDirectory(prefix="trc-engage-demo-", dir=_in_memory()) as folder,
        lived(Path(folder) / "engage.db") as engage,
    ):
        members = sorted(engage.members(), key=lambda standing: -standing.points)
        standings = [engage.standing(member.member_id) for member in members]
        star, entries = engage.standing(STAR), engage.history(STAR, limit=ENTRIES_MAX)
    say("")
    _say_standings(standings)
    say("")
    say_history(star, entries, limit=ENTRIES_MAX)
    say(AFTER)


def _say_standings(standings: Sequence[Standing]) -> None:
    """Show points and streaks side by side; each demo member has both an account and a streak."""
    say_table(
        ("member", "name", "points", "streak", "longest", "status", "XP", "carried"),
        [
            (
                one.member_id,
                one.name or "",
                f"{one.points:,}",
                f"{one.streak.current}",
                f"{one.streak.longest}",
                one.discord.status,
                f"{one.discord.xp_total:,}",
                f"{one.discord.xp_carried}",
            )
            for one in standings
            if one.streak is not None and one.discord is not None
        ],
        right={"points", "streak", "longest", "XP", "carried"},
    )


def _in_memory() -> str | None:
    """Return a folder in memory, if there is one: a fortnight is some 20,000 waits for a real disk."""
    return MEMORY if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) else None


@contextmanager
def _swept_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the process in a way that still tidies up."""
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

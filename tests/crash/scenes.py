"""What the victims do: commands, each on a store prepared for it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import frozen

from support.community import MONDAY, NAMES, Community
from support.stores import let_take_any_board
from trc_engage.adapters.sqlite import SqliteLedger

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
"""A Thursday; a sync an hour ago allows Monday to Wednesday to be settled."""
STORE, BACKUP = "engage.db", "backup.db"
XP_BEFORE = 1_000
DAYS = 3


@frozen
class Scene:
    """Commands, and the function that prepares the store for them."""

    name: str
    commands: Sequence[Sequence[str]]
    lay_out: Callable[[Path], object]
    after: Sequence[Sequence[str]] = ()
    """Commands that were run before."""
    is_killed_before: bool = False
    """Whether the same commands were killed before, at their first change of a file's size: the journal is hot."""
    is_newer: bool = False
    """Whether the commands are those of the next version, which upgrades the store."""
    makes: str = STORE
    """The file that the commands write."""


def xp_of_a_day(number: int) -> int:
    """Return the XP that the member of this number earns each day."""
    return 110 + 10 * number


def three_days(store: Path) -> None:
    """Prepare nine members after three days of syncs and awards, none of which is settled."""
    with SqliteLedger.open(store) as ledger:
        community = Community(ledger)
        community.enroll(*NAMES)
        community.sync(**dict.fromkeys(NAMES, XP_BEFORE))
        for day in range(DAYS):
            community.now = MONDAY + timedelta(days=day)
            for number, name in enumerate(NAMES):
                community.chat(name, xp_of_a_day(number))
            community.award("bo", f"benchmark:{day}")
            community.sync(timedelta(hours=1))
        community.now = NOW - timedelta(hours=1)
        community.sync(timedelta())
    let_take_any_board(store)


def one_member(store: Path) -> None:
    """Prepare a store with a member and an award."""
    with SqliteLedger.open(store) as ledger:
        community = Community(ledger)
        community.enroll("ada")
        community.award("ada", "benchmark:first")


AWARD = ("award", "ada", "--source", "benchmark", "--points", "5", "--key", "benchmark:ada")
LATE = (*AWARD, "--at", "2026-03-03T12:00:00Z")
ENROLL = ("members", "enroll", "zoe", "--discord-id", "80351110224678999")
READ = ("members", "list")
MIGRATE = ("migrate",)
COPY = ("backup", f"{{folder}}/{BACKUP}")

SCENES = (
    Scene("sync", [("sync",)], three_days),
    Scene("award", [AWARD], three_days),
    Scene("late-award", [LATE], three_days, after=[("settle",)]),
    Scene("settle", [("settle",)], three_days),
    Scene("enroll", [ENROLL], three_days),
    Scene("migration", [MIGRATE], one_member, is_newer=True),
    Scene("new-store", [ENROLL], Path.touch),
    Scene("recovery", [AWARD], three_days, is_killed_before=True),
    Scene("backup", [COPY], three_days, makes=BACKUP),
)
"""One command each."""

SESSIONS = (
    Scene("session", [("settle",), AWARD, ("sync",), ("settle",), LATE, ENROLL, COPY], three_days),
    Scene("first-day", [("members", "enroll", "ada"), READ, AWARD], Path.touch),
    Scene("upgrade", [MIGRATE, AWARD], one_member, is_newer=True),
    Scene("after-a-crash", [AWARD, ENROLL], three_days, is_killed_before=True),
)
"""Several commands, each acknowledged."""

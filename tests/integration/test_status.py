"""`trc-engage status` answers the operator's first question in the first line."""

import os
import pty
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from syrupy.assertion import SnapshotAssertion

from support.command import Operator, Ran
from support.community import QUARTER, Community, opened
from support.terminal import read_out
from trc_engage import SourceError
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.entrypoints.cli import app
from trc_engage.entrypoints.wording import lasted

RELATIVE = {"TRC_ENGAGE_STORE": "engage.db"}


def run(community: Community, slots: int = 1) -> None:
    """Run what is due in this many slots."""
    for _ in range(slots):
        community.now += QUARTER
        community.engage.run_due()


def enrolled(community: Community) -> None:
    """Enroll two members and run nothing."""
    community.enroll("ada", "bo")


def never_worked(community: Community) -> None:
    """Fail from the first sync on."""
    enrolled(community)
    community.trouble = SourceError("private", "MEE6 does not show this board: it is private. Make it public")
    run(community, slots=2)


def well(community: Community) -> None:
    """Run without trouble, with a member who left and one who is not on the board."""
    enrolled(community)
    community.enroll("cy")
    community.xp = {"ada": 1_000, "bo": 2_000}
    run(community)
    community.chat("ada", 250)
    community.engage.leave("bo")
    run(community)
    community.now += timedelta(minutes=4)


def failing_twice(community: Community) -> None:
    """Fail twice, which needs no action yet; MEE6 asks to wait."""
    well(community)
    community.now -= timedelta(minutes=4)
    community.trouble = SourceError("down", "MEE6 is in trouble (status 503)")
    run(community)
    community.trouble = SourceError("rate_limited", "MEE6 asks for fewer requests: wait", timedelta(minutes=30))
    run(community)


def failing_for_days(community: Community) -> None:
    """Fail until days wait for a good sync."""
    failing_twice(community)
    community.trouble = SourceError("private", "MEE6 does not show this board: it is private. Make it public")
    for _ in range(2):
        community.now += timedelta(days=1)
        run(community)


def abandoned(community: Community) -> None:
    """Run without trouble, then not at all for 30 hours."""
    well(community)
    community.now += timedelta(hours=30)


def before_five_past(community: Community) -> None:
    """Stop between the sync of midnight and the settlement."""
    well(community)
    community.now = community.now.replace(hour=23, minute=45)
    run(community)
    community.now += timedelta(minutes=1)


STORIES = [enrolled, never_worked, well, failing_twice, failing_for_days, abandoned, before_five_past]


def lived(folder: Path, story: Callable[[Community], None]) -> datetime:
    """Create a store in the folder with this story, and return the time at its end."""
    with opened("sqlite", folder) as ledger:
        community = Community(ledger)
        story(community)
        return community.now


def asked(folder: Path, *options: str, at: datetime) -> Ran:
    """Ask for the status at this time."""
    with time_machine.travel(at, tick=False):
        return Operator(folder).call("status", *options, env=RELATIVE)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_first_line_answers_and_the_rest_tells_why(
    tmp_path: Path, story: Callable[[Community], None], snapshot: SnapshotAssertion
) -> None:
    """The first line says healthy with exit code 0 or NOT healthy with 1; reason, next step and all facts follow."""
    ran = asked(tmp_path, at=lived(tmp_path, story))
    first, *_ = ran.out.splitlines()
    assert ran.code == (0 if first.startswith("healthy: ") else 1)
    assert (ran.code == 1) == first.startswith("NOT healthy: ")
    told = re.sub(r"engage\.db \(.*\)", "engage.db (…)", ran.out.replace(f"{tmp_path}/", ""))
    told = re.sub(r"(?m)^(version +)\S+$", r"\1…", told)
    assert told == snapshot


def test_scripts_get_all_of_it(tmp_path: Path) -> None:
    """The JSON has ISO 8601 times with a zone and every fact of a long failure, and names no member."""
    at = lived(tmp_path, failing_for_days)
    ran = asked(tmp_path, "--json", at=at)
    found = ran.json
    assert (ran.code, found["healthy"], found["at"]) == (1, False, at.isoformat())
    assert found["failures"] == 4
    assert found["failing"]["kind"] == "private"
    assert [trouble["topic"] for trouble in found["troubles"]] == ["source"]
    assert found["needs"][0]["what"] == found["troubles"][0]["title"]
    assert [one["day"] for one in found["pending"]] == ["2026-03-02", "2026-03-03"]
    assert found["accounts"] == {"waiting": 0, "tracked": 2, "absent": 0, "left": 1, "unlinked": 0}
    assert found["last_slot"] == {"slot": "2026-03-04T10:30:00+00:00", "outcome": "failed", "at": at.isoformat()}
    assert found["store_bytes"] == (tmp_path / "engage.db").stat().st_size
    for name in ("good_at", "next_sync_at", "next_settlement_at"):
        assert datetime.fromisoformat(found[name]).tzinfo is not None
    assert re.findall(r"(?i)\b(?:ada|bo|cy|80351\d+)\b", ran.out) == []


def test_a_first_sync_that_fails_needs_you_before_there_is_an_alert(tmp_path: Path) -> None:
    """A first sync that fails gives exit code 1 and advice, although it has not lasted long enough for an alert."""
    ran = asked(tmp_path, "--json", at=lived(tmp_path, never_worked))
    (need,) = ran.json["needs"]
    assert (ran.code, ran.json["healthy"], ran.json["troubles"], ran.json["failures"]) == (1, False, [], 2)
    assert need["what"].endswith("the leaderboard is private")
    assert "TRC_ENGAGE_MEE6_TOKEN" in need["advice"]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_keys_do_not_depend_on_how_it_does(tmp_path: Path, story: Callable[[Community], None]) -> None:
    """The JSON has the same keys in every state."""
    ran = asked(tmp_path, "--json", at=lived(tmp_path, story))
    assert ran.code == (0 if ran.json["healthy"] else 1)
    assert sorted(ran.json) == [
        *(
            "accounts",
            "alert_channels",
            "at",
            "attended",
            "board_id",
            "channels",
            "entries",
            "failing",
            "failures",
            "good_at",
            "healthy",
            "last_slot",
            "lease",
        ),
        *(
            "members",
            "needs",
            "never_seen",
            "next_settlement_at",
            "next_sync_at",
            "pending",
            "store",
            "store_bytes",
            "troubles",
        ),
        *("version", "wait"),
    ]


def test_who_is_at_work_is_told(tmp_path: Path) -> None:
    """While a run holds the lease, the status names its owner and expiry; once it has expired, no one."""
    at = lived(tmp_path, well)
    with SqliteLedger.open(tmp_path / "engage.db") as ledger:
        lease = ledger.lease("run", at, at + timedelta(minutes=5))
    held = asked(tmp_path, "--json", at=at).json["lease"]
    assert held == {
        "owner": lease.owner,
        "taken_at": at.isoformat(),
        "until": (at + timedelta(minutes=5)).isoformat(),
    }
    assert lease.owner in asked(tmp_path, at=at).out
    assert asked(tmp_path, "--json", at=at + timedelta(minutes=5)).json["lease"] is None


def test_what_mee6_says_is_made_safe(tmp_path: Path) -> None:
    """Control characters in a source's message are removed, so they cannot affect the terminal."""

    def hostile(community: Community) -> None:
        enrolled(community)
        community.trouble = SourceError("malformed", "MEE6 said \x1b]52;c;x\x07\u202eolleh")
        run(community, 3)

    ran = asked(tmp_path, at=lived(tmp_path, hostile))
    assert "MEE6 said ]52;c;xolleh" in ran.out
    assert not set(ran.out) & set("\x1b\x07\u202e")


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_on_a_terminal_nothing_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int, no_color: str, *, coloured: bool
) -> None:
    """Lines are wrapped between words at the terminal's width, and the words are the same as in a pipe."""
    at = lived(tmp_path, failing_for_days)
    plain = asked(tmp_path, at=at).out
    operator = Operator(tmp_path)
    monkeypatch.chdir(tmp_path)
    env = {**operator.env, **RELATIVE, "TERM": "xterm", "NO_COLOR": no_color, "COLUMNS": f"{columns}"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch, time_machine.travel(at, tick=False):
        patch.setattr("sys.stdout", terminal)
        assert app(["status"], standalone_mode=False) == 1
    shown = read_out(ours)
    assert ("\x1b[" in shown) == coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert bare.split() == plain.split()
    assert max(map(len, bare.splitlines())) <= columns


@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["backup", "b.db"], ["export", "entries"]])
@pytest.mark.parametrize("is_empty", [False, True])
def test_asking_after_a_store_that_is_not_there_makes_none(
    tmp_path: Path, command: list[str], *, is_empty: bool
) -> None:
    """Reading a store that does not exist, or an empty file in its place, gives exit code 74 and creates nothing."""
    if is_empty:
        (tmp_path / "engage.db").touch()
    before = list(tmp_path.iterdir())
    ran = Operator(tmp_path).call(*command, env=RELATIVE)
    assert (ran.code, ran.out) == (74, "")
    assert "engage.db: there is no store" in ran.err
    assert list(tmp_path.iterdir()) == before


def test_the_default_store_is_not_made_either(tmp_path: Path) -> None:
    """Without TRC_ENGAGE_STORE, not even the default store's folder is created."""
    ran = Operator(tmp_path).run("status", env={"TRC_ENGAGE_STORE": ""})
    assert (ran.code, "there is no store" in ran.err) == (74, True)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_read_is_an_error_and_no_status(tmp_path: Path) -> None:
    """A store that cannot be read gives exit code 74, as with every command, instead of 1."""
    (tmp_path / "engage.db").write_text("this is no database, whatever its name says")
    ran = Operator(tmp_path).call("status")
    assert (ran.code, ran.out) == (74, "")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-5, "0 s"), (59.9, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h 0 min"), (90_000, "1 d 1 h")],
)
def test_how_long_it_lasts(seconds: float, told: str) -> None:
    """A duration is shown in its two largest units and rounded down."""
    assert lasted(timedelta(seconds=seconds)) == told

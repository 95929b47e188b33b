"""The command line as an operator types it, on real files and sockets."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from support.command import ADA, COMMAND, Operator
from trc_engage.adapters.boards.client import Line
from trc_engage.entrypoints.cli import MODULES
from trc_engage.testing.mee6 import Mee6Server

CANARY = "kAnArY.never-to-be-seen"
ADOPT = ["sync", "--adopt-board", "--by", "me", "--reason", "we moved"]
DEPARTED = ["--accept-departures", "--by", "me", "--reason", "they left"]
REBASE = ["sync", "--rebase-drops"]
QUIET = ["settle", "--accept-quiet", "2026-03-04"]


def test_what_happens_to_a_member_is_said(opened: Operator) -> None:
    """Each command says what it did to a member, or that the member is unchanged."""
    told = [
        opened.call("members", *arguments).out
        for arguments in (
            ("enroll", "m-1", "--name", "Ada L."),
            ("enroll", "m-1", "--name", "Ada L."),
            ("left", "m-1"),
            ("left", "m-1"),
            ("returned", "m-1"),
            ("unlink", "m-1"),
            ("unlink", "m-1"),
            ("link", "m-1", ADA),
        )
    ]
    assert [line.split(";")[0].strip() for line in told] == [
        "m-1: name updated",
        "m-1: unchanged",
        "m-1: has left Discord",
        "m-1: unchanged",
        "m-1: is back on Discord",
        "m-1: unlinked",
        "m-1: unchanged",
        "m-1: linked",
    ]
    assert opened.call("members", "link", "m-1", ADA, "--json").json == {"member_id": "m-1", "outcome": "unchanged"}


@pytest.mark.parametrize(
    ("arguments", "env", "code", "says"),
    [
        (["show"], {}, 2, "MEMBER"),
        (["sing"], {}, 2, "sing"),
        (["history", "m-1", "--limit", "0"], {}, 2, "--limit"),
        (["sync", "--accept-drops", "--rebase-drops"], {}, 2, "pass only one of"),
        (["show", "m-9"], {}, 65, "member 'm-9' is not enrolled"),
        (["history", "m-9"], {}, 65, "member 'm-9' is not enrolled"),
        (["members", "link", "m-9", "1"], {}, 65, "member 'm-9' is not enrolled"),
        (["members", "enroll", "m-3", "--discord-id", ADA], {}, 65, "member 'm-1' already holds Discord id"),
        (["members", "enroll", "m-3", "--discord-id", "8.03E+16"], {}, 65, "discord_id: '8.03E+16'"),
        (["members", "enroll", ""], {}, 65, "member_id: ''"),
        (["award", "m-1"], {}, 2, "--source"),
        (["members", "import", "nowhere.csv"], {}, 65, "nowhere.csv: No such file"),
        (["sync"], {"TRC_ENGAGE_MEE6_URL": "http://127.0.0.1:9"}, 69, "XP of different boards cannot be compared"),
        (["sync"], {"TRC_ENGAGE_GUILD_ID": "404"}, 69, "reads another board: board mee6:404@127.0.0.1:"),
        ([*ADOPT, "--yes"], {"TRC_ENGAGE_MEE6_URL": "http://127.0.0.1:9"}, 69, "is set in TRC_ENGAGE_MEE6_URL"),
        ([*ADOPT, "--yes"], {"TRC_ENGAGE_GUILD_ID": "404"}, 69, "guild"),
        ([*ADOPT, "--yes"], {}, 65, "the points here are of this board already"),
        (ADOPT, {}, 2, "pass --yes"),
        (["sync", "--adopt-board"], {}, 2, "--adopt-board requires --by and --reason"),
        (["sync", "--adopt-board", "--rebase-drops"], {}, 2, "pass only one of"),
        (["sync", "--by", "me"], {}, 2, "--by, --reason and --yes go with --accept-drops"),
        (["sync", "--accept-drops"], {}, 2, "--accept-drops requires --by and --reason"),
        ([*REBASE, "--by", "me"], {}, 2, "--rebase-drops requires --by and --reason"),
        ([*REBASE, "--by", "me", "--reason", "season"], {}, 2, "look at it with --dry-run first; to confirm, pass"),
        (["settle", "--accept-quiet", "2026-03-04"], {}, 2, "--accept-quiet requires --by and --reason"),
        ([*QUIET, "--by", "me", "--reason", "holiday"], {}, 2, "to confirm, pass --yes"),
        (["roster", "check", *DEPARTED], {}, 2, "--accept-departures notes everyone as left whom Discord calls gone"),
        (["members", "reconcile", "here.csv", *DEPARTED], {}, 2, "look at it with --dry-run first; to confirm, pass"),
        (["settle", "--yes"], {}, 2, "--by, --reason and --yes go with --accept-quiet"),
        (["show", "m-1"], {"TRC_ENGAGE_STORE": __file__}, 74, "not a SQLite database"),
        (["migrate"], {"TRC_ENGAGE_STORE": __file__}, 74, "not a SQLite database"),
        (["doctor"], {"TRC_ENGAGE_STORE": __file__}, 74, "not a SQLite database"),
        (["sync"], {"TRC_ENGAGE_GUILD_ID": ""}, 78, "TRC_ENGAGE_GUILD_ID is not set"),
        (["sync"], {"TRC_ENGAGE_GUILD_ID": "home"}, 78, "TRC_ENGAGE_GUILD_ID: 'home'"),
        (["show", "m-1"], {"TRC_ENGAGE_STORE": "nowhere/e.db"}, 74, "nowhere/e.db: there is no store"),
        (["members", "enroll", "m-9"], {"TRC_ENGAGE_STORE": "nowhere/e.db"}, 78, "its folder does not exist"),
        (["show", "m-1"], {"TRC_ENGAGE_STORE": "mysql://db/e"}, 78, "postgresql://USER:PASSWORD@HOST/DATABASE"),
        (["show", "m-1"], {"TRC_ENGAGE_STORE": "postgresql://127.0.0.1:9/e"}, 74, "the server cannot be reached"),
        (["sync"], {"TRC_ENGAGE_MEE6_TOKEN": f"Bearer {CANARY}"}, 78, "TRC_ENGAGE_MEE6_TOKEN"),
        (["mee6-server", "--trouble", "rain"], {}, 65, "no trouble is called 'rain'"),
        (["mee6-server", "--guild-id", "home"], {}, 65, "guild_id: 'home'"),
    ],
)
def test_every_failure_has_its_code_and_its_line(
    opened: Operator,
    arguments: list[str],
    env: dict[str, str],
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A failing command writes to stderr, without a traceback and with its exit code, and prints nothing to stdout."""
    monkeypatch.setattr(Line, "pause", lambda _line, _seconds: None)
    if "sync" in arguments:
        arguments = [*arguments, "--fresh"]
    ran = opened.call(*arguments, env=env)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
    assert "Traceback" not in ran.err
    if code != 2:
        assert re.fullmatch(r"trc-engage: [^\n]+\n", ran.err)


def test_the_token_appears_nowhere(opened: Operator, server: Mee6Server) -> None:
    """The MEE6 token appears in no command's output, whether a sync works, fails, or refuses a malformed token."""
    server.token = CANARY
    env = {"TRC_ENGAGE_MEE6_TOKEN": CANARY}
    told = [opened.call("sync", env={"TRC_ENGAGE_MEE6_TOKEN": f"Bearer {CANARY}"})]
    told += [opened.call("sync", "--fresh", *options, env=env) for options in ([], ["--json"], ["--dry-run"])]
    for trouble in ("expired_token", "html_200", "redirect", "reset", "wrong_guild"):
        server.trouble(trouble)
        told.append(opened.call("sync", "--fresh", "--json", env=env))
        server.recover()
    for line in ("show m-1", "history m-1", "members list --json", "show", "--help", "sync --nonsense"):
        told.append(opened.call(*line.split(), env=env))
    assert {ran.code for ran in told} == {0, 2, 69, 78}
    assert not [ran for ran in told if CANARY in ran.out + ran.err]


def test_the_store_is_in_the_users_data_folder(operator: Operator, tmp_path: Path) -> None:
    """Unless `TRC_ENGAGE_STORE` names another place, the store is in the user's data folder."""
    env = {"TRC_ENGAGE_STORE": "", "XDG_DATA_HOME": str(tmp_path / "data")}
    assert operator.call("members", "enroll", "m-1", env=env).code == 0
    assert (tmp_path / "data" / "trc-engage" / "engage.db").is_file()


def test_people_read_sentences_and_tables(opened: Operator, snapshot: SnapshotAssertion) -> None:
    """A plan, a sync, a list and a history read as in the snapshot, which leaves out times."""
    told = [opened.call("sync", "--fresh", "--dry-run"), opened.call("sync", "--fresh")]
    opened.call("members", "enroll", "m-3", "--name", "Barbara")
    told += [opened.call(*line.split()) for line in ("members list", "history m-1 --limit 1")]
    text = "\n".join(ran.out for ran in told)
    assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD hh:mm", text) == snapshot


@pytest.mark.parametrize("command", ["", "sync", "members"])
def test_help_teaches(operator: Operator, snapshot: SnapshotAssertion, command: str) -> None:
    """The help of the program, a command and a group says what it does, its options, and an example."""
    assert operator.call(*command.split(), "--help").out == snapshot


def test_showing_a_member_loads_nothing_it_does_not_need(opened: Operator) -> None:
    """`show` imports no library that reads, draws or migrates, so it starts fast for a script with many members."""
    heavy = ["cattrs", "httpx", "platformdirs", "rich", "sentry_sdk", "secrets", "sqlite_utils"]
    heavy += [f"trc_engage.{name}" for name in ("core.incidents", "core.posting", "core.roster", "usecases.runs")]
    program = (
        "import sys; from trc_engage.entrypoints.cli import app\n"
        "app(['show', 'm-1', '--json'], standalone_mode=False)\n"
        f"print(*sorted(set(sys.modules) & set({heavy!r})))"
    )
    ended = subprocess.run([COMMAND[0], "-c", program], env=opened.env, capture_output=True, text=True, check=True)
    shown, loaded = ended.stdout.splitlines()
    assert (json.loads(shown)["member_id"], loaded) == ("m-1", "")


def test_commands_are_loaded_when_they_are_asked_for(operator: Operator) -> None:
    """A mistyped command gets a suggestion, and `--help` lists every command with a complete line about it."""
    assert "Did you mean 'leaderboard'?" in operator.call("leaderbord").err
    listed = operator.call("--help").out.partition("Commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == list(MODULES)
    assert not [line for line in listed.splitlines() if line.endswith("...") or len(line.split()) < 3]

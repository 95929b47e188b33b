"""The command line, typed as an operator types it: real processes, files and sockets."""

import io
import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from command import COMMAND, Operator
from trc_engage import Engage
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.mee6.line import Line
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.entrypoints.cli import MODULES
from trc_engage.entrypoints.progress import Progress
from trc_engage.testing.mee6 import Mee6Server

ADA = "80351110224678912"
GRACE = "80351110224678913"
CANARY = "kAnArY.never-to-be-seen"
BY_NOBODY = {"key": None, "reason": None, "by": None, "reverses": None}
HOSTILE = "E\x1b[31m\x1b]52;\x07\u202e[b]x\u2066\r\n"


@pytest.fixture
def server() -> Iterator[Mee6Server]:
    with Mee6Server.start() as server:
        server.board.join(ADA, username="ada", xp=1_000)
        server.board.join(GRACE, username="grace", xp=2_000)
        yield server


@pytest.fixture
def operator(tmp_path: Path, server: Mee6Server) -> Operator:
    return Operator(tmp_path, server)


@pytest.fixture
def opened(operator: Operator, server: Mee6Server, tmp_path: Path) -> Operator:
    """Return an operator whose two members have been opened, and earned 250 and 50 XP since."""
    with (
        SqliteLedger.open(tmp_path / "engage.db") as ledger,
        Mee6Source.open(server.guild_id, base_url=server.url) as source,
    ):
        engage = Engage(ledger=ledger, source=source, clock=lambda: datetime.now(UTC))
        engage.enroll("m-1", discord_id=ADA, name="Ada")
        engage.enroll("m-2", discord_id=GRACE)
        engage.sync()
    server.board.give(ADA, 250)
    server.board.give(GRACE, 50)
    return operator


def test_xp_becomes_points(operator: Operator, server: Mee6Server) -> None:
    """From the first enrolment to the explained history, in the JSON that scripts read."""
    enrol = ("members", "enroll", "--json")
    assert operator.run(*enrol, "m-1", "--discord-id", ADA, "--name", "Ada").json["outcome"] == "enrolled"
    assert operator.run(*enrol, "m-2", "--discord-id", GRACE).json["outcome"] == "enrolled"
    assert operator.run("sync", "--json").json["opened"] == 2
    server.board.give(ADA, 250)
    server.board.give(GRACE, 50)
    report = operator.run("sync", "--fresh", "--json").json
    assert datetime.fromisoformat(report.pop("taken_at")).tzinfo is not None
    assert report == {
        "outcome": "synced",
        "opened": 0,
        "gained": 2,
        "deducted": 0,
        "rebased": 0,
        "unchanged": 0,
        "absent": 0,
        "missed": 0,
        "points": 2,
        "pages": 1,
        "rows": 2,
        "late": [],
        "dry_run": False,
    }
    assert operator.run("show", "m-1", "--json").json == {
        "member_id": "m-1",
        "name": "Ada",
        "points": 2,
        "points_by_source": {"discord": 2},
        "discord": {
            "discord_id": ADA,
            "xp_total": 1_250,
            "xp_carried": 50,
            "xp_to_next_point": 50,
            "status": "tracked",
        },
        "streak": {"current": 0, "longest": 0, "active_today": True, "at_risk": False, "next_milestone": 5},
    }
    newest, opening = operator.run("history", "m-1", "--json").json["entries"]
    instants = [datetime.fromisoformat(entry.pop("at")) for entry in (opening, newest)]
    assert instants == sorted(instants)
    assert (newest, opening) == (
        {
            "position": 3,
            "kind": "gain",
            "source": "discord",
            "points": 2,
            "day": opening["day"],
            "silent": False,
            **BY_NOBODY,
            "xp_before": 1_000,
            "xp_after": 1_250,
            "xp_carried": 50,
            "xp_carried_before": 0,
            "xp_baseline": 1_000,
            "xp_baseline_before": 1_000,
        },
        {
            "position": 1,
            "kind": "opening",
            "source": "discord",
            "points": 0,
            "day": opening["day"],
            "silent": True,
            **BY_NOBODY,
            "xp_before": None,
            "xp_after": 1_000,
            "xp_carried": 0,
            "xp_carried_before": None,
            "xp_baseline": 1_000,
            "xp_baseline_before": None,
        },
    )


def test_a_dry_run_tells_and_writes_nothing(opened: Operator) -> None:
    """What it says is what the sync after it does."""
    planned = opened.call("sync", "--fresh", "--dry-run", "--json").json
    assert (planned["outcome"], planned["dry_run"], planned["gained"], planned["points"]) == ("planned", True, 2, 2)
    assert planned["moves"] == [
        {"member_id": "m-1", "kind": "gain", "points": 2, "xp_before": 1_000, "xp_after": 1_250},
        {"member_id": "m-2", "kind": None, "points": 0, "xp_before": 2_000, "xp_after": 2_050},
    ]
    assert opened.call("show", "m-1", "--json").json["points"] == 0
    assert opened.call("sync", "--fresh", "--json").json["points"] == 2


def test_a_sync_soon_after_another_answers_from_its_reading(opened: Operator, server: Mee6Server) -> None:
    """Nothing is requested, and the answer says so."""
    requests = len(server.requests)
    cached = opened.call("sync", "--json").json
    assert (cached["outcome"], cached["unchanged"], cached["pages"], len(server.requests)) == ("cached", 2, 0, requests)
    assert "--fresh" in opened.call("sync").out


def test_a_failed_sync_is_told_in_json_too(opened: Operator, server: Mee6Server) -> None:
    """With its kind, its sentence, and when to come back; the log gets a line as well."""
    requests = len(server.requests)
    server.trouble("rate_limited_seconds")
    ran = opened.call("sync", "--fresh", "--json")
    assert (ran.code, ran.json["outcome"], ran.json["kind"]) == (69, "failed", "rate_limited")
    assert timedelta(0) < datetime.fromisoformat(ran.json["retry_at"]) - datetime.now(UTC) <= timedelta(seconds=120)
    assert ran.err == f"trc-engage: {ran.json['message']}\n"
    assert f"until {datetime.fromisoformat(ran.json['retry_at']):%Y-%m-%d %H:%M:%S} UTC" in ran.err
    waiting = opened.call("sync", "--fresh", "--json")
    assert (waiting.code, waiting.json["retry_at"], len(server.requests)) == (69, ran.json["retry_at"], requests + 1)
    assert opened.call("show", "m-1", "--json").json["points"] == 0


def test_drops_are_for_an_admin_to_decide(operator: Operator, server: Mee6Server) -> None:
    """A board that would lower many is refused with both ways out, and each does what it says."""
    ids = [str(int(ADA) + 100 + number) for number in range(6)]
    for number, discord_id in enumerate(ids):
        server.board.join(discord_id, xp=5_000)
        operator.call("members", "enroll", f"m-{number}", "--discord-id", discord_id)
    operator.call("sync")
    for discord_id in ids:
        server.board.remove(discord_id, 1_000)
    refused = operator.call("sync", "--fresh", "--json")
    assert (refused.code, refused.json["kind"]) == (69, "distrusted")
    assert "--accept-drops" in refused.err
    assert "--rebase-drops" in refused.err

    rebased = operator.call("sync", "--rebase-drops", "--json").json
    assert (rebased["rebased"], rebased["points"]) == (6, 0)
    for discord_id in ids:
        server.board.remove(discord_id, 1_000)
    accepted = operator.call("sync", "--accept-drops", "--json").json
    assert (accepted["deducted"], accepted["points"]) == (6, -60)


def test_what_happens_to_a_member_is_said(opened: Operator) -> None:
    """Each command says what it did, and that it did nothing if it was so already."""
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
        "m-1: name brought up to date",
        "m-1: unchanged: it is so already",
        "m-1: noted as having left Discord",
        "m-1: unchanged: it is so already",
        "m-1: noted as back on Discord",
        "m-1: unlinked",
        "m-1: unchanged: it is so already",
        "m-1: linked",
    ]
    assert opened.call("members", "link", "m-1", ADA, "--json").json == {"member_id": "m-1", "outcome": "unchanged"}


@pytest.mark.parametrize(
    ("arguments", "env", "code", "says"),
    [
        (["show"], {}, 2, "MEMBER"),
        (["sing"], {}, 2, "sing"),
        (["history", "m-1", "--limit", "0"], {}, 2, "--limit"),
        (["sync", "--accept-drops", "--rebase-drops"], {}, 2, "two decisions"),
        (["show", "m-9"], {}, 65, "member 'm-9' is not enrolled"),
        (["history", "m-9"], {}, 65, "member 'm-9' is not enrolled"),
        (["members", "link", "m-9", "1"], {}, 65, "member 'm-9' is not enrolled"),
        (["members", "enroll", "m-3", "--discord-id", ADA], {}, 65, "member 'm-1' already holds Discord id"),
        (["members", "enroll", "m-3", "--discord-id", "8.03E+16"], {}, 65, "discord_id: '8.03E+16'"),
        (["members", "enroll", ""], {}, 65, "member_id: ''"),
        (["award", "m-1"], {}, 2, "--source"),
        (["members", "import", "nowhere.csv"], {}, 65, "nowhere.csv: No such file"),
        (["sync"], {"TRC_ENGAGE_MEE6_URL": "http://127.0.0.1:9"}, 69, "certificates, and TRC_ENGAGE_MEE6_URL"),
        (["sync"], {"TRC_ENGAGE_GUILD_ID": "404"}, 69, "guild"),
        (["show", "m-1"], {"TRC_ENGAGE_STORE": __file__}, 74, "not a SQLite database"),
        (["sync"], {"TRC_ENGAGE_GUILD_ID": ""}, 78, "TRC_ENGAGE_GUILD_ID is not set"),
        (["sync"], {"TRC_ENGAGE_GUILD_ID": "home"}, 78, "TRC_ENGAGE_GUILD_ID: 'home'"),
        (["show", "m-1"], {"TRC_ENGAGE_STORE": "nowhere/e.db"}, 78, "TRC_ENGAGE_STORE: 'nowhere/e.db'"),
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
    """On stderr, without a traceback; stdout stays for results."""
    monkeypatch.setattr(Line, "pause", lambda _line, _seconds: None)
    if "sync" in arguments:
        arguments = [*arguments, "--fresh"]
    ran = opened.call(*arguments, env=env)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
    assert "Traceback" not in ran.err
    if code != 2:
        assert re.fullmatch(r"trc-engage: [^\n]+\n", ran.err)


def test_a_sync_beside_another_says_busy(opened: Operator, tmp_path: Path) -> None:
    """The one at work is named, and the exit code says: try again."""
    at = datetime.now(UTC)
    with SqliteLedger.open(tmp_path / "engage.db") as ledger:
        claim = ledger.claim("run", at, at + timedelta(minutes=5))
        ran = opened.run("sync", "--json")
        ledger.release(claim)
    assert (ran.code, ran.json["kind"]) == (75, "busy")
    assert f":{os.getpid()}:" in ran.err


def test_clocks_that_disagree_are_trouble_of_the_source(opened: Operator, server: Mee6Server, tmp_path: Path) -> None:
    """A server a year off, or a store from the future: nothing is changed, and the way out is told."""
    server.trouble("clock_off", times=1)
    ran = opened.call("sync", "--fresh", "--json")
    assert (ran.code, ran.json["kind"], "date -u" in ran.err) == (69, "clock", True)

    ahead = datetime.now(UTC) + timedelta(days=365)
    with (
        Mee6Server.start(clock=lambda: ahead) as server_ahead,
        SqliteLedger.open(tmp_path / "engage.db") as ledger,
        Mee6Source.open(server_ahead.guild_id, base_url=server_ahead.url) as source,
    ):
        server_ahead.board.join(ADA, xp=1_000)
        server_ahead.board.join(GRACE, xp=2_000)
        Engage(ledger=ledger, source=source, clock=lambda: ahead).sync()
    ran = opened.call("sync", "--json")
    assert (ran.code, ran.json["kind"], "date -u" in ran.err) == (69, "clock", True)


def test_the_token_appears_nowhere(opened: Operator, server: Mee6Server) -> None:
    """Not when it works, not when it fails, not when it is bad, in no command."""
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


def test_a_hostile_name_is_shown_and_obeyed_by_nothing(opened: Operator) -> None:
    """ESC, OSC 52, markup, right-to-left marks and line breaks arrive as plain text, on a terminal too."""
    opened.run("members", "enroll", "m-3", "--name", HOSTILE)
    shown = "E[31m]52;[b]x"
    for arguments in (["members", "list"], ["show", "m-3"], ["history", "m-3"]):
        out = opened.run(*arguments).out
        assert shown in out
        assert out.isascii()
        assert out.replace("\n", "").isprintable()
    on_terminal = typed_on_a_terminal(opened, "members", "list")
    assert shown in on_terminal
    assert not set(on_terminal) & {"\x07", "\u202e", "\u2066"}
    assert opened.run("show", "m-3", "--json").json["name"] == HOSTILE


def test_a_name_that_stdout_cannot_say_is_spelt_out(opened: Operator) -> None:
    """An old locale costs a letter, not the command."""
    opened.run("members", "enroll", "m-3", "--name", "Zoe 🎉")
    env = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}
    assert "Zoe \\U0001f389" in opened.run("show", "m-3", env=env).out
    assert opened.run("show", "m-3", "--json", env=env).json["name"] == "Zoe 🎉"


def test_the_store_is_in_the_users_data_folder(operator: Operator, tmp_path: Path) -> None:
    """Unless a variable names another."""
    env = {"TRC_ENGAGE_STORE": "", "XDG_DATA_HOME": str(tmp_path / "data")}
    assert operator.call("members", "enroll", "m-1", env=env).code == 0
    assert (tmp_path / "data" / "trc-engage" / "engage.db").is_file()


def test_people_read_sentences_and_tables(opened: Operator, snapshot: SnapshotAssertion) -> None:
    """What a person sees from the plan to the history, with the times left out."""
    told = [opened.call("sync", "--fresh", "--dry-run"), opened.call("sync", "--fresh")]
    opened.call("members", "enroll", "m-3", "--name", "Barbara")
    told += [opened.call(*line.split()) for line in ("members list", "history m-1 --limit 1")]
    text = "\n".join(ran.out for ran in told)
    assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD hh:mm", text) == snapshot


@pytest.mark.parametrize("command", ["", "sync", "members"])
def test_help_teaches(operator: Operator, snapshot: SnapshotAssertion, command: str) -> None:
    """What it does, the options, and an example to type."""
    assert operator.call(*command.split(), "--help").out == snapshot


def test_a_terminal_gets_a_table_that_fits(opened: Operator) -> None:
    """At 80 columns no id is broken and no line wraps."""
    lines = typed_on_a_terminal(opened, "members", "list").splitlines()
    assert [line.split()[-4:] for line in lines[1:]] == [
        [ADA, "tracked", "1,000", "0"],
        [GRACE, "tracked", "2,000", "0"],
    ]
    assert max(map(len, lines)) <= 80


def test_showing_a_member_loads_nothing_it_does_not_need(opened: Operator) -> None:
    """A script that asks for many members waits for none of the libraries that read, draw or migrate."""
    heavy = ["cattrs", "httpx", "platformdirs", "rich", "sentry_sdk", "sqlite_utils", "tenacity"]
    program = (
        "import sys; from trc_engage.entrypoints.cli import app\n"
        "app(['show', 'm-1', '--json'], standalone_mode=False)\n"
        f"print(*sorted(set(sys.modules) & set({heavy!r})))"
    )
    ended = subprocess.run([COMMAND[0], "-c", program], env=opened.env, capture_output=True, text=True, check=True)
    shown, loaded = ended.stdout.splitlines()
    assert (json.loads(shown)["member_id"], loaded) == ("m-1", "")


def test_a_reader_who_goes_away_is_no_error(opened: Operator) -> None:
    """`trc-engage history m-1 | head -1` is quiet."""
    process = opened.start("demo")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_full_disk_under_stdout_is_told(opened: Operator) -> None:
    """The results are lost, and the command does not end as if they were not."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*COMMAND, "members", "list"], env=opened.env, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ended.returncode, ended.stderr) == (
        74,
        "trc-engage: reading or writing failed: [Errno 28] No space left on device\n",
    )


def test_ctrl_c_ends_quietly_and_leaves_the_store_free(opened: Operator, server: Mee6Server) -> None:
    """A read that hangs is given up, nothing is written, and the next sync may begin."""
    server.trouble("timeout", times=1)
    requests = len(server.requests)
    process = opened.start("sync", "--fresh")
    while len(server.requests) == requests:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 130
    assert opened.run("sync", "--fresh", "--json").json["points"] == 2


def test_the_server_to_try_things_with_lives_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """It prints what to type; typed, it works; and SIGTERM ends it cleanly."""
    operator = Operator(tmp_path)
    process = operator.start("mee6-server", "--members", "3")
    assert process.stdout is not None
    told = "".join(iter(process.stdout.readline, "  trc-engage history m-1\n"))
    operator.env |= dict(re.findall(r"export (\w+)=(\S+)", told))
    (enroll,) = re.findall(r"trc-engage (members enroll .*)", told)
    assert operator.run(*enroll.split()).code == 0
    assert operator.run("sync", "--json").json["opened"] == 1
    assert operator.env["TRC_ENGAGE_STORE"] == "try.db"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == 0


def test_commands_are_loaded_when_they_are_asked_for(operator: Operator) -> None:
    """A typing error is answered with what there is, and the help lists all with a line each."""
    assert "Did you mean 'leaderboard'?" in operator.call("leaderbord").err
    listed = operator.call("--help").out.partition("Commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == list(MODULES)
    assert not [line for line in listed.splitlines() if line.endswith("...") or len(line.split()) < 3]


def test_a_port_in_use_is_named(operator: Operator, server: Mee6Server) -> None:
    """With the way out."""
    port = server.url.rpartition(":")[2]
    ran = operator.call("mee6-server", "--port", port)
    assert (ran.code, ran.err) == (
        65,
        f"trc-engage: port: {port}: cannot listen there (Address already in use); 0 takes a free one\n",
    )


class Terminal(io.StringIO):
    """Somebody watches."""

    def isatty(self) -> bool:
        """Say that this is a terminal."""
        return True


def test_a_long_read_shows_its_progress_to_whoever_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second page on, and to nobody who is not there."""
    monkeypatch.setenv("TERM", "xterm")
    watched, unwatched = Terminal(), io.StringIO()
    for stream in (watched, unwatched):
        with Progress(stream) as on_page:
            on_page(1, 1_000)
            assert stream.getvalue() == ""
            on_page(2, 2_000)
    assert "2,000 rows, 2 pages" in watched.getvalue()
    assert unwatched.getvalue() == ""


def typed_on_a_terminal(operator: Operator, *arguments: str) -> str:
    """Return what a command writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, *arguments], env=operator.env, stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    told = b""
    while chunk := _read(ours):
        told += chunk
    os.close(ours)
    assert process.wait(30) == 0
    return told.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so when the other side is closed
        return b""

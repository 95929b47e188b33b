"""What commands write to terminals, pipes and files."""

import io
import os
import pty
import subprocess
from pathlib import Path

import pytest

from support.command import ADA, COMMAND, GRACE, Operator
from support.terminal import read_out
from trc_engage.entrypoints.cli.sync import progress

HOSTILE = "E\x1b[31m\x1b]52;\x07\u202e[b]x\u2066\r\n"


def test_a_hostile_name_is_shown_and_obeyed_by_nothing(opened: Operator) -> None:
    """Escape sequences, markup, right-to-left marks and line breaks in a name have no effect, on a terminal too."""
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
    """A character that stdout's encoding lacks is written as its escape, and the command succeeds."""
    opened.run("members", "enroll", "m-3", "--name", "Zoe 🎉")
    env = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}
    assert "Zoe \\U0001f389" in opened.run("show", "m-3", env=env).out
    assert opened.run("show", "m-3", "--json", env=env).json["name"] == "Zoe 🎉"


def test_a_terminal_gets_a_table_that_fits(opened: Operator) -> None:
    """On a terminal of 80 columns, ids are shown whole and no line wraps."""
    lines = typed_on_a_terminal(opened, "members", "list").splitlines()
    assert [line.split()[-4:] for line in lines[1:]] == [
        ["0", ADA, "tracked", "1,000"],
        ["0", GRACE, "tracked", "2,000"],
    ]
    assert max(map(len, lines)) <= 80


def test_a_reader_who_goes_away_is_no_error(opened: Operator) -> None:
    """A command whose pipe is closed early, as by `| head -1`, ends silently with exit code 141."""
    process = opened.start("demo")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_full_disk_under_stdout_is_told(opened: Operator) -> None:
    """If the disk under stdout is full, the command says so and ends with exit code 74, since its results are lost."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*COMMAND, "members", "list"], env=opened.env, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ended.returncode, ended.stderr) == (
        74,
        "trc-engage: reading or writing failed: [Errno 28] No space left on device\n",
    )


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Return True, as a terminal does."""
        return True


def test_a_long_read_shows_its_progress_to_whoever_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal shows a read's progress from the second page on; other streams show nothing."""
    monkeypatch.setenv("TERM", "xterm")
    watched, unwatched = Terminal(), io.StringIO()
    for stream in (watched, unwatched):
        with progress(stream) as on_page:
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
    told = read_out(ours)
    assert process.wait(30) == 0
    return told

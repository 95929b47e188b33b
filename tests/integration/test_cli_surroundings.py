"""Commands with closed streams, without a home folder, for a shell that completes, and as `python -m`."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import COMMAND, TIMEOUT_SECONDS, Operator, Ran

NO_HOME = """
import pwd
def unknown(uid): raise KeyError(uid)
pwd.getpwuid = unknown
from trc_engage.entrypoints.cli import main
main()
"""
"""A process whose user is in no list of users, as in many containers."""


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return an operator with one member."""
    operator = Operator(tmp_path)
    assert operator.call("members", "enroll", "m-1", "--name", "Ada").code == 0
    return operator


def ran(command: list[str] | str, operator: Operator, **env: str) -> Ran:
    """Run a process, or a line of the shell."""
    by_shell = isinstance(command, str)
    ended = subprocess.run(
        command,
        check=False,
        shell=by_shell,
        env=operator.env | env,
        cwd=operator.folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


def test_the_package_is_the_command(operator: Operator) -> None:
    """`python -m trc_engage` runs the command where an environment's scripts are not on the PATH."""
    shown = ran([sys.executable, "-W", "error", "-m", "trc_engage", "show", "m-1"], operator)
    assert (shown.code, shown.out.splitlines()[0]) == (0, "Ada (m-1): 0 points")


@pytest.mark.parametrize("words", ["status", "show m-1", "members enroll m-2"])
def test_without_a_home_there_is_a_sentence(operator: Operator, words: str) -> None:
    """Without HOME or an entry in the list of users, the error names the variable to set, and no file is created."""
    operator.env = {name: value for name, value in operator.env.items() if name not in {"HOME", "TRC_ENGAGE_STORE"}}
    held = set(operator.folder.iterdir())
    refused = ran([sys.executable, "-c", NO_HOME, *words.split()], operator)
    assert (refused.code, refused.out) == (78, "")
    assert refused.err == (
        "trc-engage: TRC_ENGAGE_STORE is not set, and your home folder is unknown (HOME is not set either); set it to "
        "a file, such as /var/lib/trc/engage.db\n"
    )
    assert set(operator.folder.iterdir()) == held


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", ["show m-1", "leaderboard", "export members", "members enroll m-2", "members list"])
def test_a_closed_stream_is_no_error(operator: Operator, words: str, closed: str) -> None:
    """With streams closed, as by cron and some supervisors, a command works, and the store stays sound."""
    ended = ran(f"{shlex.join(COMMAND)} {words} {closed}", operator)
    assert (ended.code, ended.err) == (0, "")
    assert bool(ended.out) == (">&-" not in closed.split() and ended.code == 0)
    assert operator.call("doctor").code == 0


def test_a_question_without_a_stdin_is_refused(operator: Operator) -> None:
    """A command that has to ask ends with exit code 2 if stdin is closed, as it does without a terminal."""
    ended = ran(f"{shlex.join(COMMAND)} members forget m-1 <&-", operator)
    assert ended.code == 2
    assert "pass --yes" in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("trc-engage lead", "leaderboard"), ("trc-engage members enr", "enroll"), ("trc-engage sync --dr", "--dry-run")],
)
def test_a_shell_completes(operator: Operator, typed: str, offered: str) -> None:
    """Bash completes commands, those below `members`, and options."""
    number = str(len(typed.split()) - 1)
    ended = ran(COMMAND, operator, _TRC_ENGAGE_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=number)
    assert (ended.code, ended.out.split()) == (0, [offered])

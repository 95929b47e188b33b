"""The custom source of the documentation, read by the real commands and the daemon."""

import json
import re
import signal
from pathlib import Path
from threading import Timer

import pytest

from support.command import ADA, TIMEOUT_SECONDS, Operator

PAGE = Path(__file__).parents[2] / "docs/embedding.md"
BROKEN = """
def open_source():
    return connect()


def connect():
    raise RuntimeError("no such board")
"""


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return an operator whose board is a file, read by the documentation's own source."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    parts = [block for block in blocks if "class FileSource:" in block or "def open_source():" in block]
    assert len(parts) == 2
    (tmp_path / "board_file.py").write_text("".join(parts))
    operator = Operator(tmp_path)
    operator.env["PYTHONPATH"] += f":{tmp_path}"
    operator.env |= {
        "TRC_ENGAGE_SOURCE": "board_file:open_source",
        "TRC_ENGAGE_BOARD_FILE": str(tmp_path / "board.json"),
    }
    (tmp_path / "board.json").write_text(json.dumps({ADA: 1_000}))
    assert operator.run("members", "enroll", "m-1", "--discord-id", ADA).code == 0
    return operator


def test_the_daemon_reads_a_source_without_pages_stop_or_close(operator: Operator, tmp_path: Path) -> None:
    """The daemon opens an account from a source without pages, stop or close, and then ends on a signal as usual."""
    daemon = operator.start("daemon")
    hang = Timer(TIMEOUT_SECONDS, daemon.kill)
    hang.start()
    assert daemon.stderr is not None
    told = ""
    while "synced" not in told:
        line = daemon.stderr.readline()
        assert line, told
        told += line
    daemon.send_signal(signal.SIGTERM)
    _, rest = daemon.communicate(timeout=TIMEOUT_SECONDS)
    hang.cancel()
    assert (daemon.returncode, "Traceback" in told + rest) == (0, False)

    (tmp_path / "board.json").write_text(json.dumps({ADA: 1_250}))
    assert operator.run("sync", "--fresh", "--json").json["points"] == 2
    status = operator.run("status", "--json").json
    assert status["board_id"] == "file:board.json"


def test_init_counts_the_whole_board_of_a_source_without_pages(operator: Operator) -> None:
    """`init --try-board` reads all of a board without pages, and so speaks of no first page."""
    assert operator.run("init", "--try-board").out.splitlines()[1] == "the leaderboard can be read: 1 member"


def test_its_troubles_are_told_as_those_of_the_source(operator: Operator, tmp_path: Path) -> None:
    """Messages about a custom source use its name or none, and never mention MEE6."""
    (tmp_path / "board.json").unlink()
    ran = operator.run("sync")
    assert (ran.code, "cannot be read" in ran.err) == (69, True)
    for _ in range(2):
        operator.run("sync", "--fresh")
    told = operator.run("status")
    assert "The source's board could not be synced" in told.out
    assert "TRC_ENGAGE_SOURCE" in told.out
    assert not re.search("mee6", ran.err + told.out, re.IGNORECASE)


@pytest.mark.parametrize("command", ["sync", "status", "run-due"])
def test_a_factory_that_fails_is_a_setting_that_is_wrong(operator: Operator, tmp_path: Path, command: str) -> None:
    """A factory that fails gives exit code 78 and one line that names the variable; a debug run shows the stack."""
    (tmp_path / "board_file.py").write_text(BROKEN)
    ran = operator.run(command)
    assert (ran.code, ran.out) == (78, "")
    assert re.fullmatch(r"trc-engage: TRC_ENGAGE_SOURCE: 'board_file:open_source': failed with .*\n", ran.err)
    debug = operator.run("run-due", "--log-level", "debug")
    assert debug.code == 78
    assert 'raise RuntimeError("no such board")' in debug.err


def test_a_bug_in_a_source_of_your_own_is_shown_with_its_stack(operator: Operator, tmp_path: Path) -> None:
    """The stack of an error in a custom source goes down to the line in its file."""
    (tmp_path / "board.json").write_text("5")
    told = operator.run("run-due", "--log-level", "debug")
    assert told.code not in {0, 78}
    assert "board_file.py" in told.err

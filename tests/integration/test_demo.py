"""The demo, which newcomers see first."""

import signal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from support.command import Operator


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_a_fortnight_is_told_the_same_every_time(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """`demo` prints the same members and explained history each time, whatever the settings, and leaves no file."""
    ran = operator.run("demo", env={"TRC_ENGAGE_GUILD_ID": "nonsense", "TRC_ENGAGE_STORE": "nonsense://"})
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == snapshot
    assert max(map(len, ran.out.splitlines())) < 80
    assert list(operator.folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_demo_that_is_stopped_leaves_nothing_behind(operator: Operator, number: signal.Signals) -> None:
    """SIGTERM or Ctrl-C ends the demo silently, and its temporary store is removed."""
    operator.env["TMPDIR"] = str(operator.folder)
    process = operator.start("demo")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Mon"):
            break
    assert list(operator.folder.glob("*/engage.db"))
    process.send_signal(number)
    _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint) == (128 + number, "")
    assert list(operator.folder.iterdir()) == []

"""The net: what the package prints or answers for programs to read stays as it was.

Each file in the folder `net` is the transcript of one command or one route, run on a store with a month of history
that has something of everything in it (`net.world`). The transcripts are the same on every kind of store.

To change answers, renew the transcripts and read the difference, line by line:

    pytest tests/integration/test_net.py --snapshot-update
    git diff tests/integration/net

The net uses only the package's public interfaces, so that everything behind them can be rebuilt.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import frozen

from net.commands import Commands, commands_with_json
from net.requests import Requests, name_of, routes
from net.transcripts import Transcripts
from net.world import lived
from support.stores import SHARED

IN_MEMORY = Path("/dev/shm")  # noqa: S108  the folder in it has a name of its own
"""A folder in memory, where a store need not wait for a disk; without it the tests take longer."""


FOLDER = Path(__file__).parent / "net"
NAMES = [*sorted(commands_with_json()), *map(name_of, routes())]
ENTRIES = {"opening", "gain", "deduction", "rebase", "award", "reversal", "adjustment"}
STATUSES = {"waiting", "tracked", "absent", "left", "unlinked"}
MARKS = {"active", "missed", "excused", "weekend", "pending", "before"}
UNSEEN = {("/earnings", "get"): {"500", "503"}}
"""Statuses that the API describes, but that no test can cause."""
OUTCOMES = {"nothing", "synced", "failed", "waiting", "busy"}


@frozen
class Net:
    """The answers of one store."""

    texts: dict[str, str]
    requests: Requests


@pytest.fixture(scope="module", params=SHARED)
def net(request: pytest.FixtureRequest) -> Net:
    """Run every command and route on a store of each kind that processes can share."""
    folder = IN_MEMORY if IN_MEMORY.is_dir() else None
    with TemporaryDirectory(dir=folder) as name, lived(request.param, Path(name)) as world:
        transcripts = Transcripts(name)
        commands, requests = Commands(world, transcripts), Requests(world, transcripts)
        commands.read()
        requests.read()
        commands.read_at_work()
        commands.book()
        commands.decide_days()
        commands.enroll()
        commands.sync()
        commands.run()
        requests.write()
        requests.fail()
        commands.repair()
        commands.decide_the_clock()
        commands.adopt()
        commands.check_roster()
        return Net(transcripts.texts, requests)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_answered_is_answered(net: Net, request: pytest.FixtureRequest, name: str) -> None:
    """The transcript of each `--json` command, each route and the API description equals its file."""
    file = FOLDER / f"{name}.txt".replace(" ", "_")
    if request.config.option.update_snapshots:
        file.write_text(net.texts[name])
    assert net.texts[name].splitlines() == file.read_text().splitlines()


def test_nothing_is_forgotten(net: Net) -> None:
    """Every command with `--json` and every route has a transcript, and no transcript is left unread."""
    assert set(net.texts) == set(NAMES)
    assert {file.stem for file in FOLDER.iterdir()} == {name.replace(" ", "_") for name in NAMES}


def test_every_answer_that_the_api_describes_is_in_it(net: Net) -> None:
    """Each status that the API describes for an operation is among the answers, except those that cannot be caused."""
    for route, operations in net.requests.description["paths"].items():
        for method, operation in operations.items():
            if "responses" in operation:
                described = set(operation["responses"]) - UNSEEN.get((route, method), set())
                assert described == net.requests.answered[route, method] & set(operation["responses"]), (route, method)


def test_the_store_is_rich(net: Net) -> None:
    """The transcripts contain all kinds of entries, account statuses, day marks and run outcomes."""
    every = "\n".join(net.texts.values())
    for field, values in {"kind": ENTRIES, "status": STATUSES, "mark": MARKS, "outcome": OUTCOMES}.items():
        assert values <= set(re.findall(rf'"{field}": "(\w+)"', every)), field

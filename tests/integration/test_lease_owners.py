"""A lease is taken over at once from whoever is dead, and from nobody who lives: in containers too (R19)."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from support.attended import Post, manned
from support.command import COMMAND, TIMEOUT_SECONDS
from trc_engage.adapters.sql import runs
from trc_engage.adapters.sql.runs import has_ended, new_owner

OTHER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
"""Starts a command as the first process of a namespace of its own, as a container does, under the same host name."""


def can_unshare() -> bool:
    """Tell whether this machine lets a test make namespaces."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*OTHER, "true"], capture_output=True, check=False).returncode == 0


apart = pytest.mark.skipif(not can_unshare(), reason="needs the right to make namespaces")


def outcome(text: str) -> str:
    """Return how a run ended."""
    return str(json.loads(text)["outcome"])


class Reading:
    """A run that reads for as long as it is let, in this namespace or in one of its own."""

    def __init__(self, post: Post, *before: str) -> None:
        self._asked, self._go_on = Event(), Event()
        self._post = post
        post.server.between_pages = self._hold
        self._process = subprocess.Popen(
            [*before, *COMMAND, "run-due", "--json"], env=post.operator.env, stdout=subprocess.PIPE, text=True
        )
        assert self._asked.wait(TIMEOUT_SECONDS)

    def _hold(self, _page: int) -> None:
        self._asked.set()
        assert self._go_on.wait(TIMEOUT_SECONDS)

    def kill(self) -> None:
        """Kill it while it reads, and wait until nothing of it is left."""
        self._process.kill()
        self._process.communicate(timeout=TIMEOUT_SECONDS)
        self._post.server.between_pages = None
        self._go_on.set()

    def end(self) -> str:
        """Let it end, and return how it did."""
        self._post.server.between_pages = None
        self._go_on.set()
        return outcome(self._process.communicate(timeout=TIMEOUT_SECONDS)[0])


def run(post: Post, *before: str) -> str:
    """Run what is due, and return how it ended."""
    command = [*before, *COMMAND, "run-due", "--json"]
    ran = subprocess.run(
        command, env=post.operator.env, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    return outcome(ran.stdout)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Lend a store on which a sync is due."""
    with manned(tmp_path) as post:
        yield post


@apart
@pytest.mark.parametrize("first", [[], OTHER], ids=["here", "apart"])
def test_nobody_takes_the_lease_of_one_who_lives_elsewhere(post: Post, first: list[str]) -> None:
    """There nobody has its number, or the one who asks has it himself."""
    reading = Reading(post, *first)
    assert run(post, *OTHER) == "busy"
    assert run(post) == "busy"
    assert reading.end() == "synced"
    post.assert_exact()
    assert not list(post.store.parent.glob("*-lease-*"))


@apart
@pytest.mark.parametrize("then", [[], OTHER], ids=["here", "apart"])
def test_a_container_that_was_killed_and_started_again_begins_at_once(post: Post, then: list[str]) -> None:
    """It has the name and the number of the dead one, and does not wait for itself."""
    Reading(post, *OTHER).kill()
    assert run(post, *then) == "synced"
    post.assert_exact()
    assert not list(post.store.parent.glob("*-lease-*"))


def test_a_process_that_was_killed_is_seen_at_once(post: Post) -> None:
    """On a machine without containers."""
    Reading(post).kill()
    assert run(post) == "synced"


def test_a_number_that_was_given_again_is_not_the_one_who_had_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process started at another time: what was true of a container's first process, forever."""
    owner = new_owner()
    assert not has_ended(owner)
    monkeypatch.setattr(runs, "_started", lambda _: "1")
    assert has_ended(owner)


@pytest.mark.parametrize("what", ["namespace", "host", "kernel"])
def test_of_a_process_elsewhere_nothing_is_known(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """It may live though its number stands for nobody here; its lease is waited for."""
    owner = new_owner()
    monkeypatch.setattr(runs, "_started", lambda _: "1")
    assert has_ended(owner)
    if what == "namespace":
        monkeypatch.setattr(runs, "_machine", lambda: "0000abcd")
    elif what == "host":
        monkeypatch.setattr("socket.gethostname", lambda: "elsewhere.example")
    else:
        monkeypatch.setattr(runs, "PROC", Path("/nowhere"))
    assert not has_ended(owner)


@pytest.mark.parametrize("owner", ["a:1:b", "a:x:0a.0b.1", "a:1:0a..", "::", f"a:{10**30}:0a.0b.1"])
def test_an_owner_that_says_little_is_waited_for(owner: str) -> None:
    """As one of another machine."""
    assert not has_ended(owner)


def test_a_process_that_hides_when_it_started_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of other users do from a service with ProtectProc=invisible."""
    owner = new_owner()
    monkeypatch.setattr(runs, "_started", lambda _: "")
    assert not has_ended(owner)


def test_no_two_owners_are_the_same() -> None:
    """Two runs of one process neither."""
    assert new_owner() != new_owner()

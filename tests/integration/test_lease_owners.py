"""The lease of a dead process is taken over at once, and that of a live one never, in containers too (R19)."""

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
"""Starts a command as the first process of its own namespace under the same host name, as a container does."""


def can_unshare() -> bool:
    """Return whether this machine lets a test create namespaces."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*OTHER, "true"], capture_output=True, check=False).returncode == 0


apart = pytest.mark.skipif(not can_unshare(), reason="needs the right to make namespaces")


def outcome(text: str) -> str:
    """Return the outcome of a run."""
    return str(json.loads(text)["outcome"])


class Reading:
    """A run that reads until the test lets it go on, in this namespace or in its own."""

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
        """Kill it while it reads, and wait until it is gone."""
        self._process.kill()
        self._process.communicate(timeout=TIMEOUT_SECONDS)
        self._post.server.between_pages = None
        self._go_on.set()

    def end(self) -> str:
        """Let it end, and return its outcome."""
        self._post.server.between_pages = None
        self._go_on.set()
        return outcome(self._process.communicate(timeout=TIMEOUT_SECONDS)[0])


def run(post: Post, *before: str) -> str:
    """Run what is due, and return the outcome."""
    command = [*before, *COMMAND, "run-due", "--json"]
    ran = subprocess.run(
        command, env=post.operator.env, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    return outcome(ran.stdout)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Yield a store on which a sync is due."""
    with manned(tmp_path) as post:
        yield post


@apart
@pytest.mark.parametrize("first", [[], OTHER], ids=["here", "apart"])
def test_nobody_takes_the_lease_of_one_who_lives_elsewhere(post: Post, first: list[str]) -> None:
    """A live run keeps its lease from another namespace, where its pid is no one's or the asking process's own."""
    reading = Reading(post, *first)
    assert run(post, *OTHER) == "busy"
    assert run(post) == "busy"
    assert reading.end() == "synced"
    post.assert_exact()
    assert not list(post.store.parent.glob("*-lease-*"))


@apart
@pytest.mark.parametrize("then", [[], OTHER], ids=["here", "apart"])
def test_a_container_that_was_killed_and_started_again_begins_at_once(post: Post, then: list[str]) -> None:
    """A container that is started again after a kill takes over at once, though its host name and pid are the same."""
    Reading(post, *OTHER).kill()
    assert run(post, *then) == "synced"
    post.assert_exact()
    assert not list(post.store.parent.glob("*-lease-*"))


def test_a_process_that_was_killed_is_seen_at_once(post: Post) -> None:
    """Without containers, a run takes over at once from a process that was killed."""
    Reading(post).kill()
    assert run(post) == "synced"


def test_a_number_that_was_given_again_is_not_the_one_who_had_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has the owner's pid but another start time is not the owner, who counts as dead."""
    owner = new_owner()
    assert not has_ended(owner)
    monkeypatch.setattr(runs, "_started", lambda _: "1")
    assert has_ended(owner)


@pytest.mark.parametrize("what", ["namespace", "host", "kernel"])
def test_of_a_process_elsewhere_nothing_is_known(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """A process on another host, in another namespace or without /proc may be alive, so its lease is waited for."""
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
    """An owner whose text is incomplete may be alive, so its lease is waited for."""
    assert not has_ended(owner)


def test_a_process_that_hides_when_it_started_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose start is hidden may be alive, as other users' processes are under ProtectProc=invisible."""
    owner = new_owner()
    monkeypatch.setattr(runs, "_started", lambda _: "")
    assert not has_ended(owner)


def test_no_two_owners_are_the_same() -> None:
    """Two runs of one process have different owners."""
    assert new_owner() != new_owner()

"""The example app as it is started by hand: real processes, real HTTP, a store on disk."""

import os
import re
import runpy
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Barrier, Event, Thread, Timer
from typing import Any

import httpx
import pytest

from trc_engage import (
    Engage,
    EngageError,
    InvalidValue,
    KeyReused,
    LedgerBusy,
    LedgerFailed,
    LinkTaken,
    Newcomer,
    UnknownMember,
)
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core import streaks
from trc_engage.testing.mee6 import Mee6Server

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/embedded_app.py"
ADA, BO = "80351110224678912", "80351110224678913"
SECONDS_MAX = 60
PROMPT_SECONDS = 10
TRIES_MAX = 5_000

IMPATIENT = f"""
import runpy, sys, uvicorn
from datetime import UTC, datetime
from pathlib import Path
store, guild_id, base_url, clock_file = sys.argv[1:]
clock = lambda: datetime.fromisoformat(Path(clock_file).read_text()) if clock_file else datetime.now(UTC)
app_for = runpy.run_path({str(EXAMPLE)!r})["app_for"]
app = app_for(store, guild_id, clock=clock, base_url=base_url, page_gap=0)
uvicorn.run(app, port=0, access_log=False)
"""
"""The same app without the gap between requests, since a server on loopback need not be spared."""


class App:
    """A process that serves the example app."""

    def __init__(self, *words: str, **variables: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRC_ENGAGE_")}
        environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "PORT": "0", **variables}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", *words], env=environment, stderr=subprocess.PIPE, text=True
        )
        self.told: list[str] = []
        self.url: str | None = None
        self._watchdog = Timer(SECONDS_MAX, self.process.kill)
        self._listens = Event()
        self._reader = Thread(target=self._listen)
        self._watchdog.start()
        self._reader.start()
        self._listens.wait()

    def _listen(self) -> None:
        for line in self.process.stderr or ():
            self.told.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                self.url = found[1]
                self._listens.set()
        self._listens.set()

    def client(self) -> httpx.Client:
        """Return a client for it."""
        assert self.url, "".join(self.told)
        return httpx.Client(base_url=self.url, timeout=SECONDS_MAX, trust_env=False)

    def get(self, path: str) -> Any:
        """Return what the app tells."""
        with self.client() as client:
            return client.get(path).raise_for_status().json()

    def send(self, method: str, path: str, **body: object) -> httpx.Response:
        """Return how the app answers."""
        with self.client() as client:
            return client.request(method, path, json=body)

    def until(self, path: str, holds: Callable[[Any], object]) -> Any:
        """Return what the app tells once it holds, for what the upkeep does in its own time."""
        told = None
        with self.client() as client:
            for _ in range(TRIES_MAX):
                told = client.get(path).raise_for_status().json()
                if holds(told):
                    return told
        raise AssertionError(told)

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PROMPT_SECONDS)

    def end(self) -> None:
        """Leave nothing of it behind."""
        self.process.kill()
        self.process.wait()
        self._watchdog.cancel()
        self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()


@contextmanager
def running(*words: str, **variables: str) -> Iterator[App]:
    """Lend an app that listens, and see that it met no bug."""
    app = App(*words, **variables)
    try:
        yield app
    finally:
        app.end()
    assert "Traceback" not in "".join(app.told)


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Name a store."""
    return str(tmp_path / "engage.db")


@pytest.fixture
def server() -> Iterator[Mee6Server]:
    """Serve a board of two."""
    with Mee6Server.start() as server:
        server.board.join(ADA, username="ada", xp=1_000)
        server.board.join(BO, username="bo", xp=500)
        yield server


def test_the_readme_tells_how_to_start_it() -> None:
    """One command, which installs what the app imports and starts the file that is tested here."""
    found = re.search(r"pip install \. ([a-z ]+) && \.venv/bin/python (\S+)", (ROOT / "README.md").read_text())
    assert found is not None
    assert (found[1].split(), ROOT / found[2]) == (["starlette", "uvicorn"], EXAMPLE)


def test_it_serves_without_mee6(store: str) -> None:
    """Awards, standings, history, leaderboard and feed need no board."""
    with running(str(EXAMPLE), TRC_ENGAGE_STORE=store) as app:
        assert app.send("PUT", "/members/ada", name="Ada").json() == {"member_id": "ada", "outcome": "enrolled"}
        app.send("PUT", "/members/bo", name="Bo")
        app.send("POST", "/benchmarks", member_id="ada", points=50, key="benchmark:1", at="2026-03-02T09:00:00Z")
        app.send("POST", "/benchmarks", member_id="bo", points=70, key="benchmark:2")
        standing = app.get("/members/ada")
        assert (standing["points"], standing["points_by_source"]) == (50, {"benchmark": 50})
        assert app.get("/members/bo")["streak"]["active_today"]
        assert [entry["day"] for entry in app.get("/members/ada/history?limit=1")] == ["2026-03-02"]
        assert [rank["member_id"] for rank in app.get("/leaderboard")] == ["bo", "ada"]
        assert [rank["points"] for rank in app.get("/leaderboard?month=2026-03")] == [50, 0]
        assert [entry["position"] for entry in app.get("/feed?after=1")] == [2]


def test_a_benchmark_that_is_sent_again_pays_once(store: str) -> None:
    """The first time it is created, after that it is there already; another matter needs another key."""
    with running(str(EXAMPLE), TRC_ENGAGE_STORE=store) as app:
        app.send("PUT", "/members/ada")
        once = {"member_id": "ada", "points": 50, "key": "benchmark:1"}
        answers = [app.send("POST", "/benchmarks", **once) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 200, 200]
        assert {answer.json()["entry"]["position"] for answer in answers} == {1}
        other = app.send("POST", "/benchmarks", **{**once, "points": 51})
        assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")
        assert (other.json()["title"], app.get("/members/ada")["points"]) == ("KeyReused", 50)


def test_whoever_asks_for_what_cannot_be_is_told(store: str) -> None:
    """Unknown members, taken links and values that cannot be used each have their status."""
    with running(str(EXAMPLE), TRC_ENGAGE_STORE=store) as app:
        app.send("PUT", "/members/ada", discord_id=ADA)
        award = {"member_id": "ada", "points": 50, "key": "benchmark:1"}
        assert app.send("GET", "/members/eve").status_code == 404
        assert app.send("GET", "/members/eve/history").status_code == 404
        assert app.send("POST", "/benchmarks", **{**award, "member_id": "eve"}).status_code == 404
        assert app.send("PUT", "/members/bo", discord_id=ADA).json()["title"] == "LinkTaken"
        for wrong in ({"points": 0}, {"points": "50"}, {"key": None}, {"at": "yesterday"}, {"at": "2026-03-02"}):
            answer = app.send("POST", "/benchmarks", **{**award, **wrong})
            assert (answer.status_code, answer.json()["title"]) == (422, "InvalidValue")
        for path in ("/feed?after=-1", "/feed?after=x", "/leaderboard?month=March", "/members/ada/history?limit=0"):
            assert app.send("GET", path).status_code == 422
        with app.client() as client:
            assert [client.post("/benchmarks", content=sent).status_code for sent in (b"", b"[]", b"\xff")] == [422] * 3
        assert app.get("/feed") == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownMember("ada"), 404),
        (KeyReused("key", "one", "other"), 409),
        (LinkTaken("ada", ADA), 409),
        (InvalidValue("points", 0, "give more"), 422),
        (LedgerBusy("try again"), 503),
        (LedgerFailed("the disk is full"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, EngageError) else str(value),
)
def test_every_error_of_the_core_becomes_a_problem(error: EngageError, status: int) -> None:
    """One handler maps them all; only a busy store is worth another try."""
    answer = runpy.run_path(str(EXAMPLE))["problem"](None, error)
    assert (answer.status_code, "retry-after" in answer.headers) == (status, status == 503)


def test_streaks_are_settled_while_it_runs(store: str) -> None:
    """At its start the upkeep settles what is over; an award for such a day still counts."""
    now = datetime.now(UTC)
    with SqliteLedger.open(store) as ledger:
        Engage(ledger=ledger, clock=lambda: now - timedelta(days=21)).enroll("ada")
    days = [now - timedelta(days=ago) for ago in range(14, 0, -1)]
    weekdays = [day for day in days if day.weekday() < 5]
    with running(str(EXAMPLE), TRC_ENGAGE_STORE=store) as app:
        for at in weekdays[:5]:
            app.send("POST", "/benchmarks", member_id="ada", points=1, key=f"run:{at:%F}", at=at.isoformat())
        app.until("/members/ada", lambda standing: standing["streak"]["longest"] == 5)
        for at in weekdays[5:]:
            app.send("POST", "/benchmarks", member_id="ada", points=1, key=f"run:{at:%F}", at=at.isoformat())
        assert app.get("/members/ada")["streak"]["longest"] == 10


def test_a_board_is_read_when_asked_for(store: str, server: Mee6Server) -> None:
    """XP from before pays nothing; what is earned after that is paid by the next sync."""
    with running("-c", IMPATIENT, store, server.guild_id, server.url, "") as app:
        app.send("PUT", "/members/ada", discord_id=ADA)
        assert app.send("POST", "/sync").status_code == 202
        (opening,) = app.until("/feed", len)
        assert (opening["kind"], opening["silent"], opening["points"]) == ("opening", True, 0)
        server.board.give(ADA, 250)
        app.send("POST", "/sync")
        (gain,) = app.until(f"/feed?after={opening['position']}", len)
        assert (gain["points"], app.get("/members/ada")["points"]) == (2, 2)


def test_it_ends_promptly_though_it_reads(store: str, server: Mee6Server) -> None:
    """A read that hangs is cut at shutdown, and its claim is given back."""
    with SqliteLedger.open(store) as ledger:
        Engage(ledger=ledger, clock=lambda: datetime.now(UTC)).enroll("ada", discord_id=ADA)
    reading, go_on = Event(), Event()

    def hold(_page: int) -> None:
        reading.set()
        assert go_on.wait(SECONDS_MAX)

    server.between_pages = hold
    settings = {"TRC_ENGAGE_STORE": store, "TRC_ENGAGE_GUILD_ID": server.guild_id, "TRC_ENGAGE_MEE6_URL": server.url}
    with running(str(EXAMPLE), **settings) as app:
        assert reading.wait(SECONDS_MAX)
        assert app.stop() == -signal.SIGTERM
        assert "the read was stopped" in "".join(app.told)
    go_on.set()


PAIRS = 4
"""Of threads; the two of a pair send to a process each."""
ROUNDS = 24
"""Days that pass."""
LINKED = {f"linked-{number}": str(80351110224678920 + number) for number in range(4)}
XP_BEFORE = 100
BENCHMARKS = {"both": 4, "one": 1, "other": 2}
"""Points by who sends a benchmark first: both threads of a pair at once, or one of them."""


class Crowd:
    """Eight threads at one store through two processes, which sync and settle meanwhile.

    No member is in two rounds, and what both send goes to one of its own: the next award would put
    right a streak that a lost race had left wrong.
    """

    def __init__(self, folder: Path) -> None:
        self.now = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
        self.store, self.clock_file = str(folder / "engage.db"), folder / "clock"
        self.clock_file.write_text(self.now.isoformat())
        self.server = Mee6Server.start(clock=lambda: self.now)
        self.server.between_pages = self._rise
        self.ledger = SqliteLedger.open(self.store)
        self.answers: Counter[int] = Counter()
        self.awarded: dict[str, int] = {}
        self._dawn = Barrier(2 * PAIRS, action=self._new_day, timeout=SECONDS_MAX)
        for discord_id in LINKED.values():
            self.server.board.join(discord_id, xp=XP_BEFORE)
        engage = Engage(ledger=self.ledger, clock=lambda: self.now - timedelta(days=21))
        engage.enroll_all([Newcomer(member_id, discord_id) for member_id, discord_id in LINKED.items()])
        engage.enroll_all(
            [Newcomer(f"{pair}-{day}-{n}") for pair in range(PAIRS) for day in range(ROUNDS) for n in "ab"]
        )

    def words(self) -> Sequence[str]:
        """Return how to start a process."""
        return ("-c", IMPATIENT, self.store, self.server.guild_id, self.server.url, str(self.clock_file))

    def _rise(self, _page: int) -> None:
        """Move the board with every page."""
        for number, discord_id in enumerate(LINKED.values()):
            self.server.board.give(discord_id, 40 * number)

    def _new_day(self) -> None:
        """Let time pass for everybody, to the next day after a required one."""
        self.now += timedelta(days=1 if self.now.weekday() < 5 else 3)
        written = self.clock_file.with_suffix(".new")
        written.write_text(self.now.isoformat())
        written.replace(self.clock_file)

    def hammer(self, apps: Sequence[App]) -> None:
        """Let all threads go at once."""
        with ThreadPoolExecutor(2 * PAIRS) as pool:
            futures = []
            for pair in range(PAIRS):
                meet = Barrier(2, timeout=SECONDS_MAX)
                for app, turns in zip(apps, (("both", "one", "other"), ("both", "other", "one")), strict=True):
                    futures.append(pool.submit(self._play, app, pair, turns, meet))
            for future in futures:
                self.answers += future.result()

    def _play(self, app: App, pair: int, turns: Sequence[str], meet: Barrier) -> Counter[int]:
        """Each day send three benchmarks, and ask once for a sync, which lets the day before be settled."""
        answers: Counter[int] = Counter()
        chance = Random(f"{pair} {turns}")
        with app.client() as client:
            for day in range(ROUNDS):
                self._dawn.wait()
                asks_at = chance.choice(turns)
                for whose in turns:
                    meet.wait()
                    if whose == asks_at:
                        client.post("/sync").raise_for_status()
                    member_id = f"{pair}-{day}-{'a' if whose == 'both' else 'b'}"
                    answers.update(self._insist(client, member_id, whose, self._at(day, whose)))
                client.get(f"/members/{member_id}").raise_for_status()
        return answers

    def _at(self, day: int, whose: str) -> datetime:
        """Return an instant on the day that is being settled, or every other day on two that are settled already."""
        days_ago = 1 if whose == "both" or day % 2 else {"one": 8, "other": 15}[whose]
        return self.now - timedelta(days=days_ago)

    def _insist(self, client: httpx.Client, member_id: str, whose: str, at: datetime) -> Iterator[int]:
        """Send a benchmark until it is answered otherwise than that the store is busy."""
        key, points = f"{member_id}:{whose}", BENCHMARKS[whose]
        self.awarded[key] = points
        award = {"member_id": member_id, "points": points, "key": key, "at": at.isoformat()}
        for _ in range(TRIES_MAX):
            yield (status := client.post("/benchmarks", json=award).status_code)
            if status != 503:
                return

    def rest(self) -> Engage:
        """Read and settle what is left."""
        with Mee6Source.open(self.server.guild_id, base_url=self.server.url, page_gap=0) as source:
            self.server.between_pages = None
            engage = Engage(ledger=self.ledger, source=source, clock=lambda: self.now)
            engage.sync(fresh=True)
            assert engage.settle().pending == ()
            return engage


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    """Gather a crowd."""
    crowd = Crowd(tmp_path)
    with crowd.server, crowd.ledger:
        yield crowd


def test_eight_threads_and_two_processes_leave_exact_balances_and_streaks(crowd: Crowd) -> None:
    """Awards, syncs and settlements meet all the while; each award is paid once, and no streak is wrong."""
    with running(*crowd.words()) as one, running(*crowd.words()) as other:
        crowd.hammer([one, other])
        assert [one.stop(), other.stop()] == [-signal.SIGTERM] * 2
    engage = crowd.rest()
    assert crowd.answers.keys() <= {200, 201, 503}
    assert crowd.answers[200] == crowd.answers[201] == len(crowd.awarded) == PAIRS * ROUNDS * len(BENCHMARKS)
    assert_exact(engage, crowd)
    assert_derived(crowd.ledger)


def assert_exact(engage: Engage, crowd: Crowd) -> None:
    """Each award stands once, and a balance is what was awarded or earned, and the sum of its entries."""
    entries = engage.feed(limit=10_000)
    assert Counter(entry.key for entry in entries if entry.key) == Counter(crowd.awarded.keys())
    expected: Counter[str] = Counter()
    for key, points in crowd.awarded.items():
        expected[key.partition(":")[0]] += points
    for entry in entries:
        if entry.kind == "opening" and entry.xp is not None:
            xp = crowd.server.board.xp(LINKED[entry.member_id])
            expected[entry.member_id] = (xp - entry.xp.xp_after) // 100
    sums: Counter[str] = Counter()
    for entry in entries:
        sums[entry.member_id] += entry.points
    assert {standing.member_id: standing.points for standing in engage.members()} == dict(expected)
    assert dict(sums) == dict(expected)


def assert_derived(ledger: SqliteLedger) -> None:
    """Every stored streak is what the evidence makes it, the long ones of those who rose among them."""
    calendar = ledger.calendar()
    stored = ledger.streaks()
    derived = [
        streaks.recomputed(streak, {one.day for one in ledger.evidence(streak.member_id, date.min, date.max)}, calendar)
        for streak in stored
    ]
    assert stored == derived
    assert len(stored) >= 2 * PAIRS * ROUNDS
    assert max(streak.longest for streak in stored) >= ROUNDS // 2

"""Hostile answers over real sockets: each read ends in time and memory with the right outcome (R19)."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, field

from hostile.case import Case, Outcome
from hostile.catalogue import FAMILIES
from hostile.memory import Peak
from hostile.pages import BEFORE, GUILD, NOW, answer, payload
from hostile.steps import serve
from hostile.wire import HostileServer, Script
from support.community import IDS, QUARTER, Community, opened
from trc_engage import Engage, SourceError
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.testing.answers import encoded

CASES = [pytest.param(family, case, id=f"{family}-{case.name}") for family, cases in FAMILIES.items() for case in cases]
CASES_MIN = 130
LATE_SECONDS = 2.0
"""How late a read may end on a busy machine."""
MEMORY_MAX = 48 * 2**20
MEMORY_SHARE_MAX = 10
"""What a read may take: this many bytes, and this many more for each byte of the cap."""
REQUEST_BYTES_MAX = 500
MESSAGE_LENGTH_MAX = 500
OUTCOMES: dict[int, Outcome] = {2: "paid", 0: "absent"}
"""What the points of a sync say about Ada."""


def sound(xp: dict[str, int]) -> Script:
    """Return a script that serves this board as MEE6 would."""
    return [serve(lambda asked: answer(encoded(payload(xp, asked.page, asked.limit))))]


@define(eq=False)
class Bench:
    """A store on disk that has paid for all XP so far, and a server; sources are used for more than one case."""

    community: Community
    server: HostileServer
    stack: ExitStack
    _sources: dict[tuple[float, int, int], Mee6Source] = field(factory=dict, init=False)

    def face(self, case: Case) -> None:
        """Let the next syncs read from the server within the limits of a case."""
        limits = case.seconds, case.bytes_max, case.pages_max
        if limits not in self._sources:
            source = Mee6Source.open(
                GUILD,
                base_url=self.server.url,
                page_gap=0,
                deadline_seconds=case.seconds,
                answer_bytes_max=case.bytes_max,
                pages_max=case.pages_max,
                pause=lambda _: None,
            )
            self._sources[limits] = self.stack.enter_context(source)
        ledger, clock = self.community.ledger, lambda: self.community.now
        self.community.engage = Engage(ledger=ledger, source=self._sources[limits], clock=clock)

    def sync(self, *scripts: Script) -> int:
        """Sync a quarter of an hour later, while the server plays these scripts; return the points."""
        self.server.play(*scripts)
        self.community.now += QUARTER
        return self.community.engage.sync(fresh=True).points

    def balances(self) -> dict[str, int]:
        """Return the points of each member."""
        return {standing.member_id: standing.points for standing in self.community.engage.members()}

    def paid(self) -> object:
        """Return entries and balances."""
        return self.community.engage.feed(limit=10_000), self.balances()

    def meaning(self) -> object:
        """Return entries, balances and accounts."""
        return self.paid(), self.community.ledger.accounts_to_sync()


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Bench]]:
    """Yield a bench for each family."""
    with ExitStack() as stack:
        benches = {}
        for family in FAMILIES:
            benches[family] = _opened_bench(stack, tmp_path_factory.mktemp(family))
        yield benches


def _opened_bench(stack: ExitStack, folder: Path) -> Bench:
    community = Community(stack.enter_context(opened("sqlite", folder)))
    community.enroll("ada", "bo", "cy")
    bench = Bench(community, stack.enter_context(HostileServer(lambda: community.now)), stack)
    bench.face(Case("opening", "paid", ()))
    bench.sync(sound(BEFORE))
    return bench


@pytest.fixture
def bench(benches: dict[str, Bench], family: str) -> Iterator[Bench]:
    """Yield the bench of a family, and then take back what was paid."""
    bench = benches[family]
    balances = bench.balances()
    yield bench
    bench.sync(sound(BEFORE))
    assert bench.balances() == balances


def test_there_are_enough_of_them() -> None:
    """There are at least 130 cases, and no two of a family share a name."""
    names = {(family, case.name) for family, cases in FAMILIES.items() for case in cases}

    assert len(CASES) == len(names) >= CASES_MIN


@pytest.mark.parametrize(("family", "case"), CASES)
def test_a_hostile_answer_harms_nobody(bench: Bench, case: Case) -> None:
    """Each hostile read ends in time and memory as expected, and then the same source reads a sound board exactly."""
    bench.face(case)
    paid, meaning = bench.paid(), bench.meaning()
    error: SourceError | None = None
    peak, began = Peak(), time.monotonic()
    try:
        outcome = OUTCOMES[bench.sync(*case.scripts)]
    except SourceError as caught:
        outcome, error = caught.kind, caught
    seconds, memory = time.monotonic() - began, peak.growth()
    requests = bench.server.heard(case.tries or 0)
    if outcome != "paid":
        assert bench.paid() == paid
    if error is not None:
        assert bench.meaning() == meaning
        check_told(error, bench)

    assert (case.outcome, case.says) == (outcome, case.says if case.says in str(error or "") else str(error))
    assert case.tries in {None, len(requests)}
    assert seconds < case.seconds + LATE_SECONDS
    assert memory < MEMORY_MAX + MEMORY_SHARE_MAX * case.bytes_max
    assert bench.sync(sound(NOW)) == (0 if outcome == "paid" else 2)
    assert all(len(asked.head) < REQUEST_BYTES_MAX for asked in (*requests, *bench.server.requests))


def check_told(error: SourceError, bench: Bench) -> None:
    """Check that an error is one line without names, and that its wait is a second to an hour, which then passes."""
    text = str(error)
    assert text.isprintable()
    assert len(text) < MESSAGE_LENGTH_MAX
    assert not [word for word in (*IDS.values(), "stranger", "⛵") if word in text]
    if error.retry_at is not None:
        assert timedelta(seconds=1) <= error.retry_at - bench.community.now <= timedelta(hours=1)
        bench.community.now = error.retry_at

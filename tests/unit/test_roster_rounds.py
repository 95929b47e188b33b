"""How long a round of the roster asks, what ends it, and what it notes (R25)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from attrs import define, evolve, field

from trc_engage import ClockWentBack, Engage, LedgerBusy, Presence, RosterError
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core.posting import Posting, SyncRun
from trc_engage.core.records import ClockDecision, Trace
from trc_engage.core.reports import RosterReport, SyncReport
from trc_engage.core.roster import Contradiction
from trc_engage.usecases import members
from trc_engage.usecases.roster import HowToCheck, check, check_due

GUILD = "200000000000000001"
NOON = datetime(2026, 3, 2, 12, 1, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
HERE, GONE, UNKNOWN = Presence("present"), Presence("gone"), Presence("unknown", why="no clear answer")
BY_ITSELF, BY_HAND = HowToCheck(by_hand=False), HowToCheck()


@define
class Server:
    """A roster that takes its time to answer, and the clock by which it does."""

    now: datetime
    answer: Callable[[int], Presence] = lambda _: HERE
    seconds: float = 1.0
    """How long an answer takes."""
    asked: int = 0
    guild_id: str = GUILD
    ledger: MemoryLedger = field(factory=MemoryLedger)

    def ask(self, _discord_id: str, /) -> Presence:
        """Let the time of an answer pass, and answer."""
        self.now += self.seconds * SECOND
        self.asked += 1
        return self.answer(self.asked)

    def enroll(self, count: int) -> None:
        """Enroll this many members, an hour ago."""
        engage = Engage(ledger=self.ledger, clock=lambda: self.now - HOUR)
        for number in range(count):
            engage.enroll(f"m-{number:03}", discord_id=f"3000000000000001{number:02}")

    def sync(self) -> None:
        """Post a good sync that began now."""
        good_run = self.ledger.run_state().sync.good_run
        self.ledger.post(Posting(self.now, run=SyncRun(SyncReport("synced", self.now), whole=True, follows=good_run)))

    def round(self, how: HowToCheck = BY_HAND) -> RosterReport:
        """Run one round, by hand by default."""
        return check(self.ledger, self, lambda: self.now, how)


@pytest.mark.parametrize(
    ("begins_at", "how", "asked"),
    [
        (NOON, BY_HAND, 10),
        (NOON, BY_ITSELF, 1),
        (NOON.replace(minute=14, second=45), BY_HAND, 10),
        (NOON.replace(minute=14, second=45), BY_ITSELF, 1),
        (NOON.replace(minute=14, second=50), BY_ITSELF, 0),
        (NOON.replace(hour=0, minute=4, second=50), BY_ITSELF, 0),
        (NOON.replace(hour=0, minute=4, second=49), BY_ITSELF, 1),
    ],
)
def test_a_round_ends_before_anything_else_is_due(begins_at: datetime, how: HowToCheck, asked: int) -> None:
    """A round by itself ends ten seconds before a slot or settlement is due; one by hand ends after 50 seconds."""
    server = Server(begins_at, seconds=5)
    server.enroll(12)
    assert (server.round(how).asked, server.asked) == (asked, asked)


def test_a_round_by_itself_takes_its_share_of_the_day() -> None:
    """A round by itself asks for its share of the day, if anybody is due; one by hand asks about all who are due."""
    server = Server(NOON)
    server.enroll(12)
    report = check_due(server.ledger, server, lambda: server.now)
    assert report is not None
    assert (report.outcome, report.asked) == ("checked", 1)
    assert check_due(server.ledger, server, lambda: server.now) is None
    server.now += HOUR
    assert server.round().asked == 11
    assert server.round().asked == 0


def test_whoever_asks_for_a_wait_is_not_asked_again() -> None:
    """A requested wait ends the round and is kept until the next one."""
    server = Server(NOON, lambda _: evolve(HERE, wait=20 * MINUTE))
    server.enroll(3)
    report = server.round()
    assert (report.asked, report.next_at) == (1, server.now + 20 * MINUTE)


def test_a_wait_without_a_clear_answer_is_a_failure() -> None:
    """A round whose only answers are unclear and ask for a wait has failed, however many members are due (R20)."""
    server = Server(NOON, lambda _: evolve(UNKNOWN, wait=20 * MINUTE))
    server.enroll(5)
    report = server.round()
    assert (report.asked, report.unknown, report.outcome) == (1, 1, "failed")
    run = server.ledger.run_state().roster.failure_run
    assert (run is not None and run.count, report.next_at) == (1, server.now + 20 * MINUTE)


@pytest.mark.parametrize(
    ("clear", "asked", "unknown", "outcome"),
    [({1, 2, 3, 4}, 4, 0, "checked"), ({1, 3}, 4, 2, "checked"), ({1}, 4, 3, "failed"), (set(), 3, 3, "failed")],
)
def test_three_unclear_answers_in_a_row_end_a_round(clear: set[int], asked: int, unknown: int, outcome: str) -> None:
    """Three unclear answers in a row end a round as failed; unclear answers between clear ones are only counted."""
    server = Server(NOON, lambda number: HERE if number in clear else UNKNOWN)
    server.enroll(4)
    report = server.round()
    assert (report.asked, report.unknown, report.outcome) == (asked, unknown, outcome)
    assert str(report.error) == ("no clear answer" if outcome == "failed" else "None")


def test_a_round_that_asks_nobody_ends_no_failure() -> None:
    """A round without questions does not end a failure run; a clear answer does (R20)."""
    server = Server(NOON, lambda _: UNKNOWN)
    server.enroll(3)
    assert server.round().outcome == "failed"
    server.now += 20 * MINUTE
    assert server.round().asked == 0
    assert server.ledger.run_state().roster.failure_run is not None
    server.answer, server.now = lambda _: HERE, server.now + HOUR
    assert server.round().outcome == "checked"
    assert server.ledger.run_state().roster.failure_run is None


def test_a_round_has_a_lease_of_its_own() -> None:
    """A round has a lease of its own: a sync under way does not stop it, but another round does."""
    server = Server(NOON)
    server.enroll(1)
    server.ledger.lease("run", NOON, NOON + 5 * MINUTE)
    assert server.round().outcome == "checked"
    server.ledger.lease("roster", server.now, server.now + 5 * MINUTE)
    with pytest.raises(LedgerBusy, match="another roster is at work"):
        server.round()


def test_a_clock_that_went_back_asks_nobody() -> None:
    """Under a clock that went back, a round by hand is refused, and one by itself is skipped (R22)."""
    server = Server(NOON)
    server.enroll(1)
    seen = ClockDecision("confirmed", NOON + 3 * DAY, "admin-7", "it was right")
    server.ledger.post(Posting(seen.at, clock=seen))
    with pytest.raises(ClockWentBack):
        server.round()
    assert check_due(server.ledger, server, lambda: server.now) is None
    assert server.asked == 0


@pytest.mark.parametrize(
    ("meanwhile", "step", "outcome"),
    [
        ("nothing", "leave", "left"),
        ("left", "leave", "unchanged"),
        ("unlinked", "leave", "unchanged"),
        ("linked again", "leave", "unchanged"),
        ("left", "return", "returned"),
        ("left", "never_left", "never_left"),
    ],
)
def test_a_step_is_noted_only_for_what_it_was_decided_on(meanwhile: str, step: str, outcome: str) -> None:
    """A leave is not noted for an account that has left, is unlinked or was replaced since it was decided (R6a)."""
    server = Server(NOON)
    server.enroll(1)
    engage = Engage(ledger=server.ledger, clock=lambda: server.now)
    before = server.ledger.account_of("m-000")
    assert before is not None
    if meanwhile == "left":
        engage.leave("m-000")
    elif meanwhile != "nothing":
        engage.unlink("m-000")
    if meanwhile == "linked again":
        engage.link("m-000", "400000000000000001")
    account = before
    if step != "leave":
        now_left = server.ledger.account_of("m-000")
        assert now_left is not None
        account = now_left
    done = members.noted(server.ledger, account, step, server.now, Trace("roster"), None)  # type: ignore[arg-type]
    assert done.outcome == outcome


def test_a_note_made_by_hand_stands_against_the_roster_and_is_told() -> None:
    """A note by hand stands against the roster, which reports the contradiction until both agree (R25)."""
    server = Server(NOON)
    server.enroll(2)
    Engage(ledger=server.ledger, clock=lambda: server.now).leave("m-000", by="admin-7")
    server.now += SECOND
    report = server.round()
    assert (report.contradicted, report.returned, report.left) == (["m-000"], [], [])
    assert server.ledger.run_state().roster.contradictions == [Contradiction("m-000", is_left=True)]
    server.answer, server.now = lambda _: GONE, server.now + DAY
    assert server.round().contradicted == []
    assert server.ledger.run_state().roster.contradictions == []


def test_many_departures_are_noted_once_an_admin_accepts_them(caplog: pytest.LogCaptureFixture) -> None:
    """Six departures of twelve are not noted until an admin accepts them; join dates later undo them (R25)."""
    caplog.set_level("INFO")
    server = Server(NOON, lambda number: GONE if (number - 1) % 12 < 6 else HERE)
    server.enroll(12)
    assert server.round().unconfirmed == 6
    server.now += HOUR
    server.asked = 0
    server.sync()
    report = server.round()
    assert (report.outcome, report.left) == ("failed", [])
    assert isinstance(report.error, RosterError)
    assert (report.error.kind, report.error.argument) == ("distrusted", "accept_departures")
    report = server.round(HowToCheck(accept=Trace("admin-7", "the server was cleaned up")))
    assert (report.outcome, list(report.left)) == ("checked", [f"m-{number:03}" for number in range(6)])
    assert caplog.messages.count("the roster notes that a member left") == 6
    left = server.ledger.events("m-000")[-1]
    assert (left.kind, left.actor, left.note) == ("left", "roster", "departures accepted by admin-7")
    server.answer, server.now = lambda _: evolve(HERE, joined_at=NOON - DAY), server.now + HOUR
    back = server.round()
    assert (len(back.never_left), back.returned, back.left) == (6, [], [])
    assert caplog.messages.count("the roster notes that a member never left") == 6


def refused(_: int) -> Presence:
    """Raise an error instead of answering."""
    raise RosterError("token", "it was reset")


@pytest.mark.parametrize(
    ("answer", "waits"),
    [(lambda _: HERE, None), (lambda _: evolve(HERE, wait=20 * MINUTE), 20 * MINUTE), (refused, 15 * MINUTE)],
    ids=["answered", "asked to wait", "failed"],
)
def test_a_trial_keeps_nothing_but_what_the_server_asks_for(
    answer: Callable[[int], Presence], waits: timedelta | None
) -> None:
    """A dry run keeps no answer and no failure, but it keeps the wait for the next round."""
    server = Server(NOON, answer)
    server.enroll(1)
    server.round(HowToCheck(dry_run=True))
    state = server.ledger.run_state().roster
    assert (state.next_at, state.failure_run) == (waits and server.now + waits, None)
    assert server.ledger.checks() == []

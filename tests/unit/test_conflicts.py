"""Something else is posted between what a use case read and what it posts (R15, R16, R19)."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from support.community import IDS, LEDGERS, MONDAY, Community, opened
from trc_engage import Conflict, Engage, LedgerBusy
from trc_engage.core import streaks
from trc_engage.core.ports import Ledger, Store
from trc_engage.core.posting import Posting

ONE_DAY = timedelta(days=1)
TUESDAY_ITSELF = date(2026, 3, 3)


class Interrupted:
    """A store that lets something else happen right after one of its methods has answered."""

    def __init__(self, store: Store, question: str, meanwhile: Callable[[], object]) -> None:
        self.store = store
        self.question = question
        self.happens = [meanwhile]
        self.moved = 0

    def __getattr__(self, name: str) -> object:
        answer = getattr(self.store, name)
        if name != self.question:
            return answer

        def interrupted(*asked: object) -> object:
            answered = answer(*asked)
            if self.happens:
                self.happens.pop()()
            return answered

        return interrupted

    def post(self, posting: Posting, /) -> object:
        """Post, and count the conflicts."""
        try:
            return self.store.post(posting)
        except Conflict:
            self.moved += 1
            raise


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community on Wednesday: both active on Monday, Ada awarded on Tuesday, Bo missed by the last sync."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.sync(ada=1_000, bo=1_000)
        community.sync(ada=1_020, bo=1_020)
        community.now = MONDAY + ONE_DAY
        community.award("ada", "tuesday")
        community.missed = {"bo"}
        community.sync(ONE_DAY)
        community.missed = set()
        yield community


def interrupted(community: Community, question: str, meanwhile: Callable[[], object]) -> tuple[Engage, Interrupted]:
    """Return an `Engage` whose store is interrupted after this method, and that store."""
    store = Interrupted(community.ledger, question, meanwhile)
    return Engage(ledger=cast("Store", store), source=community, clock=lambda: community.now), store


def reads_bo(community: Community) -> None:
    """Sync with a rise of Bo's, whose window reaches back to Monday."""
    community.chat("bo")
    community.sync()


def lengths(ledger: Ledger, *names: str) -> dict[str, tuple[int, int]]:
    """Return each member's current and longest streak, after comparing the stored with the recomputed ones (R14)."""
    found = {}
    for name in names or ("ada", "bo"):
        stored, calendar = ledger.streak_of(name), ledger.calendar(name)
        active = {one.day for one in ledger.evidence(name, date.min, date.max)}
        assert stored == streaks.recomputed(stored, active, calendar)
        found[name] = (streaks.current(stored, calendar), stored.longest)
    return found


MEANWHILE: dict[str, tuple[Callable[[Community], object], int, int]] = {
    "nothing": (lambda _: None, 2, 0),
    "an award of the day": (lambda it: it.award("bo", "late", at=it.now - ONE_DAY), 2, 2),
    "a second award of the day": (lambda it: it.award("ada", "late", at=it.now - ONE_DAY), 2, 0),
    "the reversal of the only award": (lambda it: it.engage.reverse("tuesday", reason="withdrawn", by="x"), 0, 0),
    "an excuse for one": (lambda it: it.engage.excuse(MONDAY.date(), reason="ill", by="admin", member_id="bo"), 2, 0),
    "an excuse": (lambda it: it.engage.excuse(TUESDAY_ITSELF, reason="a holiday", by="admin"), 2, 1),
    "a window that reaches back": (reads_bo, 2, 2),
    "another settlement": (lambda it: it.engage.settle(), 2, 0),
    "a departure": (lambda it: it.engage.leave("ada"), 2, 0),
}


@pytest.mark.parametrize("question", ["run_state", "day_record"])
@pytest.mark.parametrize(("meanwhile", "ada", "bo"), MEANWHILE.values(), ids=MEANWHILE.keys())
def test_a_settlement_is_planned_on_what_still_holds(
    community: Community, question: str, meanwhile: Callable[[Community], object], ada: int, bo: int
) -> None:
    """No change is lost that is posted while Monday is being settled, whatever had been read by then."""
    engage, store = interrupted(community, question, lambda: meanwhile(community))
    engage.settle()
    assert store.happens == []
    community.engage.settle()
    assert community.ledger.calendar().settled_through == TUESDAY_ITSELF
    told = lengths(community.ledger)
    assert (told["ada"][0], told["bo"][0]) == (ada, bo)


def test_two_settlements_at_once_settle_each_day_once(community: Community) -> None:
    """Two settlements at once settle each day once, and each reports only the days that it settled itself."""
    reports = []
    engage, store = interrupted(community, "day_record", lambda: reports.append(community.engage.settle()))
    reports.append(engage.settle())
    settled = [day for report in reports for day in report.settled]
    assert settled == [MONDAY.date(), TUESDAY_ITSELF]
    assert store.moved == 1


def test_a_settlement_that_was_overtaken_by_an_award_is_planned_anew(community: Community) -> None:
    """A settlement overtaken by an award meets one conflict, is planned again and goes through."""
    engage, store = interrupted(
        community, "day_record", lambda: community.award("bo", "late", at=datetime(2026, 3, 2, 12, tzinfo=UTC))
    )
    engage.settle()
    assert store.moved == 1


def test_an_award_of_a_day_that_is_just_being_settled(community: Community) -> None:
    """An award for a day that is settled in the meantime returns the streak's change like any late one (R16)."""
    engage, _ = interrupted(community, "booking", community.engage.settle)
    receipt = engage.award("bo", source="benchmark", points=1, key="late", at=community.now - ONE_DAY)
    assert receipt.late is not None
    assert (receipt.late.current_before, receipt.late.current_after) == (0, 2)
    assert lengths(community.ledger) == {"ada": (2, 2), "bo": (2, 2)}


@pytest.mark.parametrize("question", ["booking", "streak_of", "evidence"])
def test_late_news_from_two_sides_at_once(community: Community, question: str) -> None:
    """Two late changes of one streak are both in it, although one was posted while the other was planned."""
    community.engage.settle()
    monday, tuesday = MONDAY, MONDAY + ONE_DAY
    engage, store = interrupted(
        community, question, lambda: community.engage.reverse("tuesday", reason="withdrawn", by="x")
    )
    engage.award("ada", source="benchmark", points=1, key="tuesday again", at=tuesday)
    assert store.moved == (question != "booking")
    assert lengths(community.ledger)["ada"] == (2, 2)
    friday = monday - 3 * ONE_DAY
    engage, _ = interrupted(community, question, lambda: community.award("ada", "friday", at=friday))
    engage.award("ada", source="benchmark", points=1, key="thursday", at=friday - ONE_DAY)
    assert lengths(community.ledger)["ada"] == (4, 4)


@pytest.mark.parametrize("question", ["calendar", "activity"])
@pytest.mark.parametrize("meanwhile", [name for name in MEANWHILE if name != "an excuse"])
def test_an_excuse_is_planned_on_what_still_holds(community: Community, question: str, meanwhile: str) -> None:
    """No change is lost that is posted while all streaks are recomputed for an excused day."""
    community.engage.settle()
    engage, _ = interrupted(community, question, lambda: MEANWHILE[meanwhile][0](community))
    engage.excuse(TUESDAY_ITSELF, reason="a holiday", by="admin")
    ada, bo = MEANWHILE[meanwhile][1:]
    told = lengths(community.ledger)
    assert (told["ada"][0], told["bo"][0]) == (max(ada, 1), max(bo, 1))


def test_a_day_that_is_settled_while_it_is_excused(community: Community) -> None:
    """A day that is settled while it is being excused breaks no streak (R16)."""
    engage, store = interrupted(community, "calendar", community.engage.settle)
    engage.excuse(TUESDAY_ITSELF, reason="a holiday", by="admin")
    assert store.moved == 1
    assert lengths(community.ledger) == {"ada": (2, 2), "bo": (1, 1)}


def test_an_excuse_misses_nobody_who_comes_to_light_meanwhile(community: Community) -> None:
    """An excuse is planned again if a member gets a first streak in the meantime, so that this one counts too."""
    community.engage.enroll("cy")
    community.engage.settle()

    def meanwhile() -> None:
        community.award("cy", "friday", at=MONDAY - 3 * ONE_DAY)
        community.award("cy", "tuesday too", at=MONDAY + ONE_DAY)

    engage, store = interrupted(community, "activity", meanwhile)
    engage.excuse(MONDAY.date(), reason="a holiday", by="admin")
    assert store.moved == 1
    assert lengths(community.ledger, "cy") == {"cy": (2, 2)}


def test_a_sync_that_reaches_back_while_days_are_settled(community: Community) -> None:
    """A sync is planned again if a day that its evidence reaches back to is settled in the meantime."""
    community.chat("bo")
    community.now += timedelta(minutes=15)
    engage, store = interrupted(community, "run_state", community.engage.settle)
    report = engage.sync()
    assert store.moved == 1
    assert [change.member_id for change in report.late] == ["bo"]
    assert lengths(community.ledger) == {"ada": (2, 2), "bo": (2, 2)}


def test_a_run_keeps_others_away_from_its_first_question_on(community: Community) -> None:
    """A run has its lease before it looks for accounts, so that another run finds it busy."""
    met: list[str] = []
    engage, store = interrupted(community, "accounts_to_sync", lambda: met.append(community.engage.run_due().outcome))
    assert (engage.run_due().outcome, met, store.moved) == ("synced", ["busy"], 0)


def test_a_leave_keeps_the_window_that_a_sync_in_between_began(community: Community) -> None:
    """A leave is planned again after a sync in between, so its window begins with that sync's reading (R6a)."""
    engage, store = interrupted(community, "account_of", lambda: reads_bo(community))
    engage.leave("bo")
    assert store.moved == 1
    (left,) = (event for event in community.ledger.events("bo") if event.kind == "left")
    assert left.window_from == community.now


def test_a_leave_that_is_undone_while_days_are_settled(community: Community) -> None:
    """Undoing a leave makes days active that were open when it was planned and are settled when it is posted (R6a)."""
    community.engage.leave("bo")
    community.now += ONE_DAY
    community.engage.rejoin("bo")
    reads_bo(community)
    engage, store = interrupted(community, "calendar", community.engage.settle)
    engage.rejoin("bo", never_left=True, by="admin", reason="a mistake")
    assert store.moved == 1
    assert lengths(community.ledger)["bo"] == (3, 3)


def awarded_today(community: Community) -> None:
    """Award Cy something on the day that the repair makes unsettled."""
    community.award("cy", "today")


def awarded_tuesday(community: Community) -> None:
    """Award Bo something on a day that stays settled."""
    community.award("bo", "late", at=community.now - ONE_DAY)


def excused_monday(community: Community) -> None:
    """Excuse Monday, so that no required day lies between Cy's Friday and Tuesday."""
    community.engage.excuse(MONDAY.date(), reason="a holiday", by="admin")


@pytest.mark.parametrize("question", ["ahead", "calendar", "activity"])
@pytest.mark.parametrize(
    ("meanwhile", "bo", "cy"), [(awarded_today, 0, 1), (awarded_tuesday, 2, 1), (excused_monday, 0, 2)]
)
def test_a_repair_of_the_clock_is_planned_on_what_still_holds(
    community: Community, question: str, meanwhile: Callable[[Community], None], bo: int, cy: int
) -> None:
    """Changes during a repair of the clock are in the streaks, whether their day stays settled or not (R22)."""
    community.engage.enroll("cy")
    for key, at in (("friday", MONDAY - 3 * ONE_DAY), ("tuesday too", MONDAY + ONE_DAY)):
        community.award("cy", key, at=at)
    community.engage.settle()
    right, community.now = community.now, community.now + 3 * ONE_DAY
    community.sync()
    community.engage.settle()
    community.now = right + timedelta(minutes=15)
    engage, store = interrupted(community, question, lambda: meanwhile(community))
    report = engage.repair_clock(by="admin", reason="it ran ahead", trust_clock=True)
    assert (report.outcome, store.happens) == ("repaired", [])
    told = lengths(community.ledger, "ada", "bo", "cy")
    assert {name: current for name, (current, _) in told.items()} == {"ada": 2, "bo": bo, "cy": cy}


def test_who_is_overtaken_eight_times_gives_up(community: Community) -> None:
    """After eight conflicts in a row, settling fails with `LedgerBusy` and settles nothing; a later one succeeds."""
    keys = iter("12345678")
    engage, store = interrupted(community, "day_record", lambda: None)
    store.happens = [lambda: community.award("bo", next(keys), at=MONDAY)] * 8
    with pytest.raises(LedgerBusy, match="8 times in a row"):
        engage.settle()
    assert not community.ledger.calendar().is_settled(MONDAY.date())
    assert engage.settle().settled == (MONDAY.date(), TUESDAY_ITSELF)


def test_who_is_forgotten_meanwhile_stays_forgotten(community: Community) -> None:
    """Hiding a member who is forgotten in the meantime does not bring the name back (R9)."""
    engage, _ = interrupted(community, "member", lambda: community.engage.forget("ada"))
    engage.hide("ada")
    member = community.ledger.member("ada")
    assert member is not None
    assert (member.name, member.is_forgotten) == (None, True)


def test_nobody_is_forgotten_and_linked(community: Community) -> None:
    """A member who is enrolled with a link while being forgotten is either linked or forgotten, not both (R9)."""
    community.engage.unlink("ada")
    engage, _ = interrupted(community, "member", lambda: community.engage.forget("ada"))
    engage.enroll("ada", discord_id=IDS["ada"])
    member = community.ledger.member("ada")
    assert member is not None
    assert member.is_forgotten == (community.ledger.account_of("ada") is None)

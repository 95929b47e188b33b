"""Which board a ledger accepts (R24), and what a source may return, on every ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from support.community import IDS, LEDGERS, Community, opened
from trc_engage import Board, InvalidValue, SourceError, SyncReport
from trc_engage.core.ports import Store
from trc_engage.entrypoints.wording.alerts import describe_error
from trc_engage.usecases.audit import audit

ONE, OTHER = "mee6:111", "mee6:222"
FIVE = ("ada", "bo", "cy", "dee", "eli")
AT_ONCE = timedelta(seconds=1)


class Boards(Community):
    """A community whose source says which board it reads."""

    board_id: Any

    def __init__(self, ledger: Store) -> None:
        super().__init__(ledger)
        self.board_id = ONE

    def adopt(self, **how: Any) -> SyncReport:
        """Adopt the board that is read now, as an admin."""
        return self.engage.sync(adopt_board=True, by="admin-7", reason="we moved", **how)


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Boards]:
    """Yield a community of five whom one board showed with 1,000 XP each, and who earned two points since."""
    with opened(request.param, tmp_path) as ledger:
        community = Boards(ledger)
        community.enroll(*FIVE)
        community.sync(**dict.fromkeys(FIVE, 1_000))
        community.sync(**dict.fromkeys(FIVE, 1_250))
        yield community


def show_another(community: Boards, xp: int = 90_000) -> None:
    """Let the source read another board, with this XP for all five."""
    community.board_id = OTHER
    community.xp = dict.fromkeys(FIVE, xp)


def refused(community: Boards, **how: Any) -> SourceError:
    """Sync, which must fail and change nothing but the failure run, and return the error."""
    before = _meaning(community)
    with pytest.raises(SourceError) as caught:
        community.engage.sync(**how)
    assert _meaning(community) == before
    return caught.value


def _meaning(community: Boards) -> object:
    state = community.ledger.run_state().sync
    return (
        community.engage.members(),
        community.engage.feed(limit=1_000),
        community.ledger.linked_accounts(),
        (state.board_id, state.good_run, state.whole_rows),
    )


@pytest.mark.parametrize(
    "how", [{}, {"dry_run": True}, {"fresh": True}, {"accept_drops": True}, {"rebase_drops": True}]
)
@pytest.mark.parametrize("after", [timedelta(seconds=5), timedelta(minutes=15)])
def test_another_board_is_refused(community: Boards, after: timedelta, how: dict[str, bool]) -> None:
    """Another board is refused before anything is read, with both ids, and no decision about drops adopts it."""
    show_another(community)
    community.now += after
    reads = len(community.sought)
    error = refused(community, **how)
    assert error.kind == "another_board"
    assert ONE in error.message
    assert OTHER in error.message
    assert "`trc-engage sync --adopt-board --dry-run`" in describe_error(error)
    assert len(community.sought) == reads
    assert community.ledger.run_state().sync.failures == (0 if "dry_run" in how else 1)


def test_a_day_on_a_wrong_board_pays_nothing(community: Boards) -> None:
    """Syncs of a wrong board change nothing; the next reading of the right board pays what was earned on it."""
    show_another(community)
    for _ in range(96):
        community.now += timedelta(minutes=15)
        community.xp = {name: xp + 150 for name, xp in community.xp.items()}
        refused(community)
    community.board_id = ONE
    report = community.sync(**dict.fromkeys(FIVE, 1_300))
    assert (report.points, community.points("ada")) == (5, 3)


def test_an_admin_is_told_at_once(community: Boards) -> None:
    """The first run that meets another board is a trouble at once, and the first on the right one ends it."""
    show_another(community)
    assert community.run().outcome == "failed"
    (trouble,) = community.engage.status().troubles
    assert (trouble.topic, OTHER in trouble.why) == ("source", True)
    community.board_id = ONE
    community.xp = dict.fromkeys(FIVE, 1_250)
    assert community.run().outcome == "synced"
    assert community.engage.status().is_healthy


@pytest.mark.parametrize(
    ("known", "shown"),
    [(ONE, ""), (ONE, None), ("", ONE), (None, ONE), (ONE, f"{ONE}@127.0.0.1:8123"), (ONE, "MEE6:111")],
)
def test_a_board_without_an_id_is_one_board(tmp_path: Path, known: str | None, shown: str | None) -> None:
    """No id, empty or None, matches only boards without an id, and ids are compared to the letter."""
    with opened("sqlite", tmp_path) as ledger:
        community = Boards(ledger)
        community.board_id = known
        community.enroll("ada")
        community.sync(ada=5)
        assert ledger.run_state().sync.board_id == (known or "")
        community.board_id = shown
        assert refused(community).kind == "another_board"


@pytest.mark.parametrize("board_id", [7, b"mee6:1", "mee6:\n1", "x" * 201, ["mee6"], "mee6:\ud800"])
def test_an_id_that_is_none_is_malformed(community: Boards, board_id: object) -> None:
    """A board id that is not a short line of text is malformed, and a failure of the source like any other."""
    community.board_id = board_id
    assert refused(community).kind == "malformed"
    assert community.ledger.run_state().sync.failures == 1


class Readings(dict[str, int]):
    """A subclass of `dict`, for readings that are another kind of mapping."""


@pytest.mark.parametrize(
    "xp",
    [1.5, "12340", -1, True, None, 2**70, float("nan"), float("inf"), 2**53 + 1, 10**5_000, b"5", [5], 5 + 0j],
    ids=lambda xp: f"{type(xp).__name__}",
)
def test_xp_that_is_none_is_a_malformed_board(community: Boards, xp: Any) -> None:
    """A board whose XP is not a count is malformed: nothing is posted, and the failure is counted."""
    community.xp["bo"] = xp
    community.now += timedelta(minutes=15)
    error = refused(community)
    assert (error.kind, community.ledger.run_state().sync.failures) == ("malformed", 1)
    assert "XP" in error.message


ADA, STRANGER = IDS["ada"], "80351110224678999"
EVERYONE = {IDS[name]: 1_250 for name in FIVE}


def board(**change: Any) -> Board:
    """Return a sound board of all five, with these changes."""
    return evolve(Board(EVERYONE, whole=True, rows=25, pages=1), **change)


@pytest.mark.parametrize(
    "flawed",
    [
        None,
        EVERYONE,
        "a board",
        board(readings=None),
        board(readings=[*EVERYONE]),
        board(readings={**EVERYONE, STRANGER: 5}),
        board(readings={**EVERYONE, int(ADA): 5}),
        board(readings={**EVERYONE, None: 5}),
        board(rows=-1),
        board(rows=4),
        board(rows=25.0),
        board(pages=-1),
        board(pages=True),
        board(pages=None),
        board(whole="no"),
        board(whole=None),
        board(missed=frozenset({ADA})),
        board(missed=frozenset({STRANGER})),
        board(missed=[]),
        board(server_at=datetime(2026, 3, 2, 9, 30)),  # noqa: DTZ001  naive on purpose
        board(server_at="2026-03-02"),
        board(readings={ADA: 1_250}, whole=False),
    ],
    ids=range(22),
)
def test_what_is_no_board_is_a_failure(community: Boards, flawed: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything but a sound board is malformed and counted as a failure, and the message has no Discord id (R1, R20)."""
    monkeypatch.setattr(community, "read", lambda _sought: flawed)
    community.now += timedelta(minutes=15)
    error = refused(community)
    assert (error.kind, community.ledger.run_state().sync.failures) == ("malformed", 1)
    assert not any(discord_id in error.message for discord_id in (ADA, STRANGER))


def test_a_board_of_another_class_of_mapping_is_a_board(community: Boards, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings may be another class of mapping, and the missed accounts any set."""
    at = datetime(2026, 3, 2, 9, 45, tzinfo=UTC)
    sound = board(readings=Readings(EVERYONE), missed=set(), server_at=at)
    monkeypatch.setattr(community, "read", lambda _sought: sound)
    community.now += timedelta(minutes=15)
    assert community.engage.sync().unchanged == 5


def test_a_wait_of_the_old_board_holds_for_it_alone(community: Boards) -> None:
    """A wait applies only to the board that asked for it, and stays while another board asks for one."""
    community.trouble = SourceError("rate_limited", "slow down", timedelta(minutes=50))
    assert refused(community, fresh=True).retry_at is not None
    community.trouble = None
    community.board_id = OTHER
    assert refused(community, fresh=True).kind == "another_board"
    community.now += AT_ONCE
    community.trouble = SourceError("blocked", "go away", timedelta(minutes=20))
    with pytest.raises(SourceError, match="go away"):
        community.adopt()
    community.trouble = None
    for board_id, kind in ((OTHER, "blocked"), (ONE, "rate_limited")):
        community.board_id = board_id
        with pytest.raises(SourceError, match="asked to be left alone") as caught:
            community.adopt() if board_id == OTHER else community.engage.sync(fresh=True)
        assert caught.value.kind == kind
    community.now += timedelta(minutes=20)
    community.board_id = OTHER
    community.adopt()
    assert community.ledger.run_state().sync.waits == {}


def test_the_id_it_has_already_is_not_adopted(community: Boards) -> None:
    """Adopting the board that is accepted already is refused, because it would discard what was earned since."""
    with pytest.raises(InvalidValue, match=ONE):
        community.adopt()
    assert community.ledger.run_state().sync.failures == 0


def test_adopting_keeps_points_and_counts_on_from_the_new_board(community: Boards) -> None:
    """An adoption keeps points and carried XP, starts absent members at zero, is no activity, and is on record."""
    show_another(community, 70)
    del community.xp["eli"]
    community.now += timedelta(minutes=15)
    report = community.adopt()
    assert (report.outcome, report.rebased, report.absent, report.points) == ("synced", 4, 1, 0)
    ada, eli = (community.ledger.account_of(name) for name in ("ada", "eli"))
    assert ada is not None
    assert eli is not None
    assert (ada.xp_total, ada.xp_carried, ada.next_reading) == (70, 50, "continues")
    assert (eli.xp_total, eli.xp_carried, eli.next_reading) == (0, 50, "begins")
    assert community.points("ada") == community.points("eli") == 2
    assert len(community.ledger.day_record(community.now.date()).active) == 5, "none but the rise before"
    (entry,) = community.engage.history("ada", limit=1)
    assert (entry.kind, entry.points, entry.silent) == ("rebase", 0, True)
    assert (entry.actor, entry.reason) == ("admin-7", "we moved")
    assert audit(community.ledger).is_healthy
    assert community.sync(**dict.fromkeys(FIVE, 120)).points == 5, "50 were carried; eli's 120 are new"
    community.board_id = ONE
    community.now += timedelta(minutes=15)
    assert refused(community).kind == "another_board", "from then on only the new id is good"


def test_the_bound_of_a_member_whom_the_new_board_shows_later(community: Boards) -> None:
    """A member who appears on the new board later is paid for up to 1,500 XP; more than that is history (R2a)."""
    show_another(community)
    del community.xp["dee"], community.xp["eli"]
    community.now += timedelta(minutes=15)
    community.adopt()
    report = community.sync(dee=1_501, eli=1_500)
    assert (report.rebased, report.gained, report.points) == (1, 1, 15)


def test_whoever_was_not_read_is_rebased_at_the_next_reading(community: Boards) -> None:
    """A member who was away or missed at the adoption is rebased at the next reading, whether higher or lower."""
    for name in ("bo", "cy"):
        community.engage.leave(name)
    show_another(community)
    community.missed = {"dee", "eli"}
    community.now += timedelta(minutes=15)
    report = community.adopt()
    assert (report.rebased, report.missed) == (1, 2)
    community.missed = set()
    for name in ("bo", "cy"):
        community.engage.rejoin(name)
    report = community.sync(bo=500_000, cy=3, dee=4, eli=600_000)
    assert (report.rebased, report.unchanged, report.points) == (4, 1, 0)
    assert [community.points(name) for name in FIVE] == [2] * 5
    assert community.sync(**{name: community.xp[name] + 100 for name in FIVE}).points == 5
    assert audit(community.ledger).is_healthy


def test_whoever_is_missing_when_at_last_looked_for_begins_from_zero(community: Boards) -> None:
    """A member who returns after the adoption and is not on the new board starts there at zero (R2a)."""
    community.engage.leave("bo")
    show_another(community)
    del community.xp["bo"]
    community.now += timedelta(minutes=15)
    community.adopt()
    community.engage.leave("bo")
    community.engage.rejoin("bo")
    assert community.sync().rebased == 1
    assert community.sync(bo=300).points == 3


def test_leaving_twice_forgets_no_adoption(community: Boards) -> None:
    """A member who left before the adoption is still rebased after leaving and returning again unread."""
    community.engage.leave("bo")
    show_another(community)
    community.adopt()
    for _ in range(2):
        community.engage.rejoin("bo")
        community.engage.leave("bo")
    community.engage.rejoin("bo")
    assert community.sync(bo=90_500).points == 0


def test_who_waits_is_opened_by_an_adoption(community: Boards) -> None:
    """An adoption opens new accounts as usual; one that left before any reading is opened once it is back (R2)."""
    community.enroll("fay", "gus")
    community.engage.leave("gus")
    show_another(community)
    community.xp |= {"fay": 7_000, "gus": 8_000}
    community.now += timedelta(minutes=15)
    report = community.adopt()
    assert (report.opened, report.rebased) == (1, 5)
    community.engage.rejoin("gus")
    assert community.sync(fay=7_100).points == 1
    assert community.sync(gus=8_100).points == 1


@pytest.mark.parametrize(("rows", "whole", "kind"), [(0, True, "distrusted"), (25, False, "distrusted")])
def test_only_a_whole_board_that_is_not_empty_is_adopted(
    community: Boards, rows: int, whole: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty board, or one not read to its end, is not adopted: everybody would start from what it lacks."""
    show_another(community)
    readings = EVERYONE if rows else {}
    monkeypatch.setattr(community, "read", lambda _sought: board(readings=readings, rows=rows, whole=whole))
    community.now += timedelta(minutes=15)
    assert refused(community, adopt_board=True, by="me", reason="why not").kind == kind


def test_the_source_is_asked_for_the_whole_board(community: Boards) -> None:
    """An adoption asks the source for the whole board, even if no account is sought; other syncs do not."""
    assert not getattr(community.sought[-1], "whole", None)
    for name in FIVE:
        community.engage.leave(name)
    show_another(community)
    community.adopt()
    assert community.sought[-1] == frozenset()
    assert getattr(community.sought[-1], "whole", None) is True
    assert community.ledger.run_state().sync.board_id == OTHER


def test_an_adoption_is_shown_before_it_is_done(community: Boards) -> None:
    """A dry run of an adoption needs no actor, shows the planned moves, and adopts nothing."""
    show_another(community)
    del community.xp["eli"]
    community.now += timedelta(minutes=15)
    before = _meaning(community)
    report = community.engage.sync(adopt_board=True, dry_run=True)
    assert (report.outcome, report.rebased, report.absent, len(report.moves)) == ("planned", 4, 1, 5)
    assert _meaning(community) == before
    assert refused(community).kind == "another_board"


def test_what_was_decided_on_must_not_have_become_worse(community: Boards) -> None:
    """An adoption is refused if a member has vanished since it was shown, and passes once the member is back (R27)."""
    show_another(community)
    community.now += timedelta(minutes=15)
    shown = community.engage.sync(adopt_board=True, dry_run=True)
    del community.xp["eli"]
    error = refused(community, adopt_board=True, by="me", reason="why not", shown=shown)
    assert "has changed since you were asked" in error.message
    community.xp["eli"] = 5
    community.adopt(shown=shown)
    community.xp = dict.fromkeys(FIVE, 0)
    shown = community.engage.sync(accept_drops=True, dry_run=True)
    community.board_id = OTHER
    assert community.engage.sync(accept_drops=True, by="me", reason="they cheated", shown=shown).points < 0


@pytest.mark.parametrize(("change", "is_recorded"), [(2, False), (-4, True)], ids=["nothing fell", "some XP fell"])
@pytest.mark.parametrize("how", ["accept_drops", "rebase_drops"])
def test_a_decision_about_drops_is_recorded_if_there_was_one(
    community: Boards, how: str, change: int, *, is_recorded: bool
) -> None:
    """Accepting drops where nothing dropped records no decision, so that no member reads of a loss (R27)."""
    community.now += timedelta(minutes=15)
    community.xp["eli"] += change
    decided: dict[str, Any] = {how: True, "by": "me", "reason": "why not"}
    community.engage.sync(**decided)
    (last,) = community.ledger.good_runs(community.now, community.now)[-1:]
    assert (last.at, last.decision is not None) == (community.now, is_recorded)


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"adopt_board": True}, "by"),
        ({"adopt_board": True, "by": "me"}, "reason"),
        ({"adopt_board": True, "by": " ", "reason": "why"}, "by"),
        ({"adopt_board": True, "rebase_drops": True, "by": "me", "reason": "why"}, "adopt_board"),
        ({"accept_drops": True, "rebase_drops": True}, "rebase_drops"),
        ({"by": "me"}, "by"),
        ({"reason": "why"}, "reason"),
        ({"accept_drops": True, "by": "x" * 1_001}, "by"),
    ],
)
def test_a_decision_is_one_and_says_whose_and_why(community: Boards, how: dict[str, Any], field: str) -> None:
    """A decision that is incomplete, contradictory or missing is refused before anything is read (R27)."""
    show_another(community)
    reads = len(community.sought)
    with pytest.raises(InvalidValue) as caught:
        community.engage.sync(**how)
    assert (caught.value.field, len(community.sought)) == (field, reads)


def test_who_leaves_while_the_board_is_adopted_is_of_the_old_one(community: Boards) -> None:
    """If accounts change while a board is adopted, it is planned again, and no history is paid for (R19)."""
    show_another(community)
    community.now += timedelta(minutes=15)
    read = community.read

    def meanwhile(sought: frozenset[str]) -> Board:
        found = read(sought)
        community.engage.leave("bo")
        community.engage.unlink("cy")
        community.engage.link("cy", IDS["fay"])
        community.engage.leave("dee")
        community.engage.rejoin("dee")
        return found

    community.read = meanwhile  # type: ignore[method-assign]
    community.adopt()
    community.read = read  # type: ignore[method-assign]
    community.engage.rejoin("bo")
    assert community.sync(fay=70_000, bo=91_000, dee=90_200).points == 2, "dee's, since the board was read"
    assert [community.points(name) for name in FIVE] == [2, 2, 2, 4, 2]
    assert audit(community.ledger).is_healthy

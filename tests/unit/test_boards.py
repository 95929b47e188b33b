"""Whose board it is (R24), and what a source may return: on all ledgers alike."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from community import IDS, LEDGERS, Community, opened
from trc_engage import Board, InvalidValue, SourceError

ONE, OTHER = "mee6:111", "mee6:222"
FIVE = ("ada", "bo", "cy", "dee", "eli")
AT_ONCE = timedelta(seconds=1)


class Boards(Community):
    """A community whose source says which board it reads."""

    board_id: Any = ONE

    def adopt(self, **how: Any) -> object:
        """Let an admin adopt the board that is read now."""
        return self.engage.sync(adopt_board=True, by="admin-7", reason="we moved", **how)


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Boards]:
    """Enrol five, whom one board shows with 1,000 XP each, and let them earn two points."""
    with opened(request.param, tmp_path) as ledger:
        community = Boards(ledger)
        community.enroll(*FIVE)
        community.sync(**dict.fromkeys(FIVE, 1_000))
        community.sync(**dict.fromkeys(FIVE, 1_250))
        yield community


def show_another(community: Boards, xp: int = 90_000) -> None:
    """Let the source read another board."""
    community.board_id = OTHER
    community.xp = dict.fromkeys(FIVE, xp)


def refused(community: Boards, **how: Any) -> SourceError:
    """Sync, which must fail and change nothing but the record of the failure."""
    before = _meaning(community)
    with pytest.raises(SourceError) as caught:
        community.engage.sync(**how)
    assert _meaning(community) == before
    return caught.value


def _meaning(community: Boards) -> object:
    state = community.ledger.sync_state()
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
    """Before the cache answers and before anything is read, both ids named, and no decision about drops adopts it."""
    show_another(community)
    community.now += after
    reads = len(community.sought)
    error = refused(community, **how)
    assert error.kind == "distrusted"
    assert ONE in error.message
    assert OTHER in error.message
    assert "--adopt-board" in error.message
    assert len(community.sought) == reads
    assert community.ledger.sync_state().failures == (0 if "dry_run" in how else 1)


def test_a_day_on_a_wrong_board_pays_nothing(community: Boards) -> None:
    """Back on the right one everything goes on, and pays what was earned there meanwhile."""
    show_another(community)
    for _ in range(96):
        community.now += timedelta(minutes=15)
        community.xp = {name: xp + 150 for name, xp in community.xp.items()}
        refused(community)
    community.board_id = ONE
    report = community.sync(**dict.fromkeys(FIVE, 1_300))
    assert (report.points, community.points("ada")) == (5, 3)


def test_an_admin_is_told_at_once(community: Boards) -> None:
    """The first run that meets another board is an incident, and the first on the right one ends it."""
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
    """None is as good as none, neither stands for a board that has an id, and ids are compared to the letter."""
    with opened("sqlite", tmp_path) as ledger:
        community = Boards(ledger)
        community.board_id = known
        community.enroll("ada")
        community.sync(ada=5)
        assert ledger.sync_state().board_id == (known or "")
        community.board_id = shown
        assert refused(community).kind == "distrusted"


@pytest.mark.parametrize("board_id", [7, b"mee6:1", "mee6:\n1", "x" * 201, ["mee6"], "mee6:\ud800"])
def test_an_id_that_is_none_is_malformed(community: Boards, board_id: object) -> None:
    """It is a failure of the source like any other."""
    community.board_id = board_id
    assert refused(community).kind == "malformed"
    assert community.ledger.sync_state().failures == 1


class Readings(dict[str, int]):
    """A mapping of another class is as good."""


@pytest.mark.parametrize(
    "xp",
    [1.5, "12340", -1, True, None, 2**70, float("nan"), float("inf"), 2**53 + 1, 10**5_000, b"5", [5], 5 + 0j],
    ids=lambda xp: f"{type(xp).__name__}",
)
def test_xp_that_is_none_is_a_malformed_board(community: Boards, xp: Any) -> None:
    """Nothing is booked and the failure is counted, whatever the store could make of it."""
    community.xp["bo"] = xp
    community.now += timedelta(minutes=15)
    error = refused(community)
    assert (error.kind, community.ledger.sync_state().failures) == ("malformed", 1)
    assert "XP" in error.message


ADA, STRANGER = IDS["ada"], "80351110224678999"
EVERYONE = {IDS[name]: 1_250 for name in FIVE}


def board(**change: Any) -> Board:
    """Return a sound board of those sought, but for what is changed."""
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
    """Whatever a source hands over, it is told what is wrong with it, names nobody, and is counted (R1, R20)."""
    monkeypatch.setattr(community, "read", lambda _sought: flawed)
    community.now += timedelta(minutes=15)
    error = refused(community)
    assert (error.kind, community.ledger.sync_state().failures) == ("malformed", 1)
    assert not any(discord_id in error.message for discord_id in (ADA, STRANGER))


def test_a_board_of_another_class_of_mapping_is_a_board(community: Boards, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is promised is a mapping and a set, and an instant in any timezone."""
    at = datetime(2026, 3, 2, 9, 45, tzinfo=UTC)
    sound = board(readings=Readings(EVERYONE), missed=set(), server_at=at)
    monkeypatch.setattr(community, "read", lambda _sought: sound)
    community.now += timedelta(minutes=15)
    assert community.engage.sync().unchanged == 5


def test_a_wait_of_the_old_board_holds_for_it_alone(community: Boards) -> None:
    """It keeps nobody away from the new one, and is not forgotten because that was refused, or asked to wait itself."""
    community.trouble = SourceError("rate_limited", "slow down", timedelta(minutes=50))
    assert refused(community, fresh=True).retry_at is not None
    community.trouble = None
    community.board_id = OTHER
    assert refused(community, fresh=True).kind == "distrusted"
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
    assert community.ledger.sync_state().waits == {}


def test_the_id_it_has_already_is_not_adopted(community: Boards) -> None:
    """That would throw away what was earned since; nothing is read, and no failure is counted."""
    with pytest.raises(InvalidValue, match=ONE):
        community.adopt()
    assert community.ledger.sync_state().failures == 0

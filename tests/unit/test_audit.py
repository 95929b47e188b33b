"""The audit finds nothing in what the package writes, even while it writes, and a repair loses nothing (R9)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve

from support.community import IDS, MONDAY, Community, opened
from trc_engage import Audit, Engage, EngageError, Entry, InvalidValue, SourceError
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core.audit import Breach, Holdings
from trc_engage.core.posting import Posting
from trc_engage.core.streaks import Streak
from trc_engage.usecases.audit import audit, audited, repair

MEMBERS = ("ada", "bo", "cy", "dee", "eli", "fay")
STORES = 1_000
IN_A_FILE = 60
STEPS = 45


def _sync(it: Community, random: Random) -> None:
    it.now += random.choice([timedelta(minutes=15), timedelta(hours=6), timedelta(days=1), timedelta(days=3)])
    for name in random.sample(MEMBERS, random.randrange(7)):
        change = random.choice([20, 20, 130, -20, -250, 9_000, None])
        it.xp[name] = max(it.xp.get(name, 0) + (change or 0), 0)
        if change is None:
            del it.xp[name]
    it.missed = set(random.sample(MEMBERS, random.random() < 0.2))
    it.trouble = SourceError("down", "no answer", timedelta(minutes=20)) if random.random() < 0.2 else None
    how: dict[str, Any] = {random.choice(["accept_drops", "accept_drops", "rebase_drops"]): True}
    it.engage.sync(fresh=True, **how)


def _night(it: Community, random: Random) -> None:
    for name in it.xp:
        if random.random() < 0.8:
            it.chat(name, random.randrange(200))
    it.now = datetime.combine(it.now.date() + timedelta(days=1), time(0, 6), UTC)
    it.trouble, it.missed = None, set()
    it.engage.run_due()


def _award(it: Community, random: Random) -> None:
    ago = timedelta(hours=random.randrange(-1, 240))
    it.award(random.choice(MEMBERS), f"run:{random.randrange(12)}", at=it.now - max(ago, timedelta(minutes=-1)))


def _by_hand(it: Community, random: Random) -> None:
    key = f"run:{random.randrange(12)}"
    if random.random() < 0.7:
        it.engage.reverse(key, reason="withdrawn", by="admin")
    else:
        it.engage.adjust(random.choice(MEMBERS), points=random.randrange(-5, 6), key=key, reason="typo", by="admin")


def _calendar(it: Community, random: Random) -> None:
    day = it.now.date() + timedelta(days=random.randrange(-9, 5))
    act: Callable[[], object] = random.choice(
        [
            lambda: it.engage.excuse(day, reason="a holiday", by="admin"),
            lambda: it.engage.unexcuse(day, by="admin"),
            lambda: it.engage.excuse(day, reason="ill", by="admin", member_id=random.choice(MEMBERS)),
            lambda: it.engage.unexcuse(day, by="admin", member_id=random.choice(MEMBERS)),
            lambda: it.engage.settle(accept_quiet=day),
        ]
    )
    act()


def _people(it: Community, random: Random) -> None:
    step = random.choice(["unlink", "leave", "rejoin", "hide", "show", "forget", "enroll", "link", "link"])
    others = [IDS[random.choice(MEMBERS)]] if step == "link" else []
    getattr(it.engage, step)(random.choice(MEMBERS), *others)


ACTS = (_sync, _sync, _sync, _night, _night, _award, _award, _by_hand, _calendar, _people, _people)


def _live(it: Community, seed: int) -> None:
    """Act at random, as an admin, a daemon and members would; refused calls change nothing."""
    random = Random(seed)
    it.enroll(*random.sample(MEMBERS, random.randrange(1, 7)))
    for _ in range(random.randrange(STEPS)):
        try:
            random.choice(ACTS)(it, random)
        except EngageError:
            continue


def _files() -> Sequence[tuple[int, str]]:
    return [(seed, "sqlite" if seed < IN_A_FILE else "memory") for seed in range(STORES)]


def test_nothing_is_found_in_a_thousand_stores_that_lived(tmp_path: Path) -> None:
    """The audit finds nothing in a thousand stores after random use, 60 of them in files and the others in memory."""
    found: dict[int, Sequence[str]] = {}
    entries = 0
    for seed, kind in _files():
        with opened(kind, tmp_path) as ledger:
            community = Community(ledger)
            _live(community, seed)
            audited = community.engage.audit()
        entries += audited.entries
        if not audited.is_healthy:
            found[seed] = [breach.message for breach in audited.breaches]
    assert found == {}
    assert entries > 10 * STORES


class Busy(MemoryLedger):
    """A store in which something happens whenever the audit reads."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None

    def holdings(self) -> Holdings:
        """Return the holdings, and let something happen afterwards."""
        held = super().holdings()
        self.meanwhile()
        return held

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Breach]:
        """Let something happen, then return a page."""
        self.meanwhile()
        return super().lines(after=after, limit=limit)


@pytest.fixture
def busy() -> Community:
    """Return a community of three members in a busy store, with some days behind them."""
    community = Community(Busy())
    community.enroll("ada", "bo", "cy")
    community.sync(ada=1_000, bo=500)
    for number in range(3):
        community.sync(timedelta(days=1), ada=1_300 + 150 * number)
        community.award("bo", f"run:{number}")
        community.engage.settle()
    return community


def _let(community: Community, act: Callable[[int], Any]) -> None:
    ledger: Any = community.ledger
    numbers = iter(range(1_000_000))

    def meanwhile() -> None:
        ledger.meanwhile = lambda: None
        act(next(numbers))
        ledger.meanwhile = meanwhile

    ledger.meanwhile = meanwhile


@pytest.mark.parametrize("lines", [1, 2_000])
def test_what_is_written_meanwhile_is_no_breach(busy: Community, monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
    """Syncs, awards, reversals and settlements during an audit are no breaches: it shows the store as it began."""
    monkeypatch.setattr("trc_engage.usecases.audit.LINES", lines)

    def act(number: int) -> None:
        busy.sync(timedelta(hours=7), ada=2_000 + 170 * number, bo=600 + 90 * number)
        busy.award("bo", f"new:{number}", at=busy.now - timedelta(days=2))
        busy.engage.reverse(f"new:{number - 1}" if number else "run:1", reason="withdrawn", by="admin")
        busy.engage.settle()

    before = len(busy.engage.feed())
    _let(busy, act)
    audited = busy.engage.audit()
    assert (audited.breaches, audited.entries) == ([], before)
    assert len(busy.engage.feed()) > before


def test_a_streak_that_moves_while_it_is_repaired_is_derived_anew(busy: Community) -> None:
    """A streak that changes while it is repaired is recomputed again, and no late award is lost."""
    wrong = Streak("ada", busy.ledger.streak_of("ada").version, busy.now.date(), 9, 9)
    busy.ledger.post(Posting(busy.now, streaks=[wrong]))
    left = iter(range(3))

    def act(_: int) -> None:
        for number in left:
            busy.award("ada", f"late:{number}", at=busy.now - timedelta(days=2))
            busy.ledger.post(Posting(busy.now, streaks=[evolve(wrong, version=busy.ledger.streak_of("ada").version)]))
            break

    _let(busy, act)
    mended = busy.engage.repair()
    assert mended.audit.is_healthy
    assert [change.subject for change in mended.changes] == ["member 'ada'"]
    assert next(left, None) is None


def test_a_streak_that_was_made_anew_is_told_as_it_was_and_is(busy: Community) -> None:
    """A repaired streak is recorded with its cause, its length before and its length now."""
    wrong = Streak("ada", busy.ledger.streak_of("ada").version, busy.now.date(), 9, 9)
    busy.ledger.post(Posting(busy.now, streaks=[wrong]))
    busy.engage.repair()
    streak = busy.engage.standing("ada").streak
    assert streak is not None
    (change,) = busy.ledger.streak_changes("ada")
    assert (change.cause, change.current_before, change.current_after) == ("repair", 9, streak.current)


def test_the_words_of_names_are_made_anew(tmp_path: Path) -> None:
    """A repair rebuilds the index of names, so that members can be found by name again."""
    with opened("sqlite", tmp_path) as ledger:
        assert isinstance(ledger, SqliteLedger)
        engage = Engage(ledger=ledger, clock=lambda: MONDAY)
        engage.enroll("ada", name="Ada Lovelace")
        with ledger._database.transaction() as connection:
            connection.execute("DELETE FROM name_words")
        assert engage.find("lovelace") == []
        assert engage.repair().audit.is_healthy
        assert [one.member_id for one in engage.find("lovelace")] == ["ada"]


def test_an_award_that_was_the_first_entry_of_all_can_be_taken_back() -> None:
    """The audit finds the award of a reversal even if it was the first entry of all."""
    community = Community()
    community.engage.enroll("ada")
    community.award("ada", "run:1")
    community.engage.reverse("run:1", reason="withdrawn", by="admin")
    assert community.engage.audit().is_healthy


def test_a_balance_is_made_the_sum_of_its_entries(busy: Community) -> None:
    """A repair sets each balance to the sum of its entries, reports both values, and changes no entry."""
    ledger: Any = busy.ledger
    ledger._balances["bo"] = {"benchmark": 1, "nothing": 4}
    fed = busy.engage.feed()
    mended = repair(ledger, busy.now)
    assert [(change.what, change.found, change.expected) for change in mended.changes] == [
        ("the balance of 'benchmark'", "1", "30"),
        ("the balance of 'nothing'", "4", "0"),
    ]
    assert (mended.audit.is_healthy, busy.points("bo"), busy.engage.feed()) == (True, 30, fed)
    assert repair(ledger, busy.now).changes == []


def _damaged(community: Community, position: int, /, **change: Any) -> Audit:
    ledger: Any = community.ledger
    entries: list[Entry] = ledger._entries
    entries[position - 1] = evolve(entries[position - 1], **change)
    return audit(ledger)


def test_entries_without_a_disk_are_in_order_too(busy: Community) -> None:
    """A position that occurs twice is found in memory as in a file, and does not keep the audit from its end."""
    found = _damaged(busy, len(busy.engage.feed()), position=1)
    assert "order" in {breach.check for breach in found.breaches}


def test_keys_without_a_disk_stand_once(busy: Community) -> None:
    """Two awards with one key are found in memory as in a file."""
    last = max(entry.position for entry in busy.engage.feed() if entry.key)
    (breach,) = _damaged(busy, last, key="run:0").breaches
    assert (breach.check, breach.subject) == ("key", f"entry {last}")


def test_what_is_derived_from_damage_is_left_alone(busy: Community) -> None:
    """A repair keeps a balance if an entry is damaged, because it is the last witness of the points."""
    last = max(entry.position for entry in busy.engage.feed() if entry.kind == "gain")
    found = _damaged(busy, last, points=0)
    assert {"balance", "entry"} <= {breach.check for breach in found.breaches}
    points = busy.points("ada")
    mended = busy.engage.repair()
    assert (mended.changes, mended.audit.is_healthy, busy.points("ada")) == ([], False, points)


def test_the_doctor_names_what_it_lacks() -> None:
    """The doctor refuses a ledger without the methods that it needs, and names those that are missing."""
    with pytest.raises(InvalidValue, match=r"^ledger: 'object': the doctor needs holdings, lines, irregularities"):
        audited(object())  # type: ignore[arg-type]

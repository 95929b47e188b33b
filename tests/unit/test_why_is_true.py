"""What is said about random lives is true: it is compared with what happened to them (R26, R28)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from attrs import Factory, define

from support.community import IDS, Community
from trc_engage import EngageError, SourceError
from trc_engage.core.story import Why
from trc_engage.entrypoints.wording import Words
from trc_engage.entrypoints.wording.why import answer, proof

ONE_DAY = timedelta(days=1)
HOURS = (9, 12, 15, 18, 21)
FRIENDS = ("bo", "cy", "dee", "eli", "fay")
LIVES = 200
DAYS = 12
WORDS = Words()


@define
class Life:
    """What really happens to Ada; the system under test learns only what a board, a web app and admins tell it."""

    random: Random
    town: Community = Factory(Community)
    chats: list[datetime] = Factory(list)
    """When she really chatted."""
    awards: dict[str, date] = Factory(dict)
    """The days of the awards that were not reversed, by key."""
    excused: set[tuple[date, bool]] = Factory(set)
    """Days that are excused, for her alone or for everybody."""
    state: str = "linked"
    watched: list[tuple[datetime, datetime | None]] = Factory(list)
    """From when to when she was linked, not marked as left, and read."""
    resets: list[tuple[datetime, datetime]] = Factory(list)
    """The times at whose end her XP started over."""
    synced_at: datetime | None = None
    named: list[str] = Factory(list)
    """The admins who did anything."""

    def live(self) -> None:
        """Begin on a Monday, and let some days pass."""
        for name in ("ada", *FRIENDS):
            self.town.engage.enroll(name, discord_id=IDS[name], by="import")
            self.town.xp[name] = 1_000
        for _ in range(DAYS):
            self.day()

    def day(self) -> None:
        """Let a day pass: she may chat, something may be done to her, and the board is read five times."""
        busy, down = self.random.random() < 0.6, self.random.random() < 0.12
        self.town.trouble = SourceError("down", "no answer") if down else None
        for hour in HOURS:
            now = self.town.now.replace(hour=hour, minute=0)
            if now < self.town.now:
                continue
            self.town.now = now
            if hour == 12:
                for name in FRIENDS:
                    self.town.chat(name)
            if busy and self.random.random() < 0.4:
                self.chats.append(now - timedelta(minutes=20))
                self.town.chat("ada", self.random.randint(15, 90))
            if self.random.random() < 0.09:
                self.town.now += timedelta(minutes=self.random.randint(1, 40))
                self.act()
            self.read()
        self.town.now = datetime.combine(self.town.now.date() + ONE_DAY, time(), UTC)
        self.read()
        self.town.now += timedelta(minutes=5)
        self.town.engage.settle()

    def read(self) -> None:
        """Sync; she is watched from the first reading of each link on."""
        before = self.synced_at
        try:
            self.town.engage.sync(fresh=True)
        except SourceError:
            return
        self.synced_at = self.town.now
        if self.state == "linked" and (not self.watched or self.watched[-1][1] is not None):
            self.watched.append((self.town.now, None))
        last = self.town.engage.history("ada", limit=1)
        if last and last[0].kind == "rebase" and last[0].at == self.town.now and before is not None:
            self.resets.append((before, self.town.now))

    def act(self) -> None:
        """Do one random thing to a member."""
        acts = [self.leave, self.rejoin, self.unlink, self.link, self.award, self.reverse, self.excuse, self.require]
        by = f"admin-{len(self.named)}"
        try:
            self.random.choice(acts)(by)
        except EngageError:
            return
        self.named.append(by)

    def leave(self, by: str) -> None:
        """Mark her as left."""
        if self.town.engage.leave("ada", by=by).changed:
            self.state = "left"
            self.close()

    def rejoin(self, by: str) -> None:
        """Mark her as back; what she earns from now on is seen."""
        if self.town.engage.rejoin("ada", by=by).changed:
            self.state = "linked"
            if self.watched:
                self.watched.append((self.town.now, None))

    def unlink(self, by: str) -> None:
        """Unlink her."""
        if self.town.engage.unlink("ada", by=by).changed:
            self.state = "unlinked"
            self.close()

    def link(self, by: str) -> None:
        """Link her again, as a new account."""
        if self.town.engage.link("ada", IDS["ada"], by=by).changed:
            self.state = "linked"

    def award(self, by: str) -> None:
        """Award something that happened on one of the last days."""
        at = self.town.now - self.random.randint(0, 4) * ONE_DAY
        key = f"key {self.town.now}"
        self.town.engage.award("ada", source="benchmark", points=3, key=key, at=at, by=by)
        self.awards[key] = at.date()

    def reverse(self, by: str) -> None:
        """Reverse an award."""
        if self.awards:
            key = self.random.choice(sorted(self.awards))
            self.town.engage.reverse(key, reason="wrong", by=by)
            del self.awards[key]

    def excuse(self, by: str) -> None:
        """Excuse a day close to today, for her or for everybody."""
        day, alone = self.town.now.date() + self.random.randint(-4, 2) * ONE_DAY, self.random.random() < 0.6
        self.town.engage.excuse(day, reason="fair", by=by, member_id="ada" if alone else None)
        self.excused.add((day, alone))

    def require(self, by: str) -> None:
        """Undo an excuse."""
        if self.excused:
            day, alone = self.random.choice(sorted(self.excused))
            self.town.engage.unexcuse(day, by=by, member_id="ada" if alone else None)
            self.excused.discard((day, alone))

    def close(self) -> None:
        """Note that she is not watched from now on."""
        if self.watched and self.watched[-1][1] is None:
            self.watched[-1] = (self.watched[-1][0], self.town.now)

    def is_watched(self, day: date) -> bool:
        """Return whether she was watched on a whole day."""
        first = datetime.combine(day, time(), UTC)
        if any(since < first + ONE_DAY and until > first for since, until in self.resets):
            return False
        return any(since <= first and (until is None or until >= first + ONE_DAY) for since, until in self.watched)

    def days(self) -> Iterator[date]:
        """Yield every day, from the one before the first to today."""
        day = date(2026, 3, 1)
        while day <= self.town.now.date():
            yield day
            day += ONE_DAY


def check_day(life: Life, why: Why) -> None:
    """Compare what is said about a day with what happened."""
    story = why.day
    assert story is not None
    day, said = story.day, answer(why, WORDS)
    chatted = [at for at in life.chats if at.date() == day]
    if story.mark == "missed":
        assert ", and no award was booked" in said
        assert life.is_watched(day), (said, life.watched)
        assert not chatted, (said, chatted)
        assert day not in life.awards.values(), said
        assert story.xp_first == story.xp_last, said
    if story.mark == "not_watched":
        assert not life.is_watched(day), (said, life.watched)
        assert day not in life.awards.values(), said
    if story.mark == "excused":
        assert {(day, True), (day, False)} & life.excused, said
    for one in story.of.evidence:
        if one.opens_at is not None and one.closes_at is not None:
            # After a return the reading also pays what was earned since the last one before the leave (R6).
            is_of_return = "some time since the leave" in said
            since = one.opens_at - 12 * ONE_DAY if is_of_return else one.opens_at
            assert any(since <= at <= one.closes_at for at in life.chats), (said, one)
        else:
            assert day in life.awards.values(), said
    if day in life.awards.values():
        assert story.of.is_active, said
    assert all(run.at.date() == day for run in story.runs)
    assert all(by in life.named or by == "import" for by in names(said, *proof(story, WORDS)))


def names(*texts: str) -> set[str]:
    """Return the admins whom the texts name."""
    return {word.strip(".,;:()") for text in texts for word in text.split() if word.startswith("admin-")}


def check_streak(life: Life) -> None:
    """Check that each event follows from the one before, and that the last one leads to the current streak."""
    told, length = life.town.engage.story("ada"), 0
    for event in told.events:
        assert event.before == length, (event, told.events)
        length = event.after
    assert told.standing.streak is not None
    assert length == told.standing.streak.current
    why = life.town.engage.why("ada")
    assert (why.about == "nothing") == (not any(event.hurts for event in told.events) and not _lost(life))


def _lost(life: Life) -> bool:
    return any(entry.points < 0 for entry in life.town.engage.history("ada", limit=1_000))


@pytest.mark.parametrize("seed", range(LIVES))
def test_nothing_false_is_said(seed: int) -> None:
    """Nothing false is said about any day or any change of the streak."""
    life = Life(Random(seed))
    life.live()
    for day in life.days():
        check_day(life, life.town.engage.why("ada", day=day))
    for entry in life.town.engage.history("ada", limit=1_000):
        assert answer(life.town.engage.why("ada", entry=entry.position), WORDS)
    check_streak(life)


def asked(town: Community, day: int, name: str = "ada") -> str:
    """Return what is said about a day of March 2026, of which the 2nd is a Monday, and what it rests on."""
    why = town.engage.why(name, day=date(2026, 3, day))
    assert why.day is not None
    return "\n".join([answer(why, WORDS), *proof(why.day, WORDS)])


def pass_until(town: Community, day: int, hour: int = 0, minute: int = 0) -> None:
    """Read the board every 15 minutes until an instant in March 2026, and settle."""
    while town.now < datetime(2026, 3, day, hour, minute, tzinfo=UTC):
        town.sync()
    town.engage.settle()


def test_a_rise_that_midnight_shows_counts_for_the_day_before() -> None:
    """What the reading at 00:00 shows was earned the evening before, and the silent day says so."""
    town = Community()
    town.enroll("ada")
    town.sync(ada=1_000)
    pass_until(town, 2, 23, 45)
    town.chat("ada", 60)
    pass_until(town, 4, 0, 15)
    said = asked(town, 3)
    counts = "XP went from 1,000 to 1,060 by the reading at 00:00 UTC, which counts for Mon 2026-03-02, and no award"
    assert counts in said
    assert "no rise" not in said
    assert "XP last read before it: 1,000, at its end: 1,060" in said
    assert "Mon 2026-03-02 counts" in asked(town, 2)


def test_a_rise_that_only_makes_up_for_a_fall_is_no_rise() -> None:
    """XP that fell and came back the next day did not rise above the readings before."""
    town = Community()
    town.enroll("ada")
    town.now += timedelta(minutes=10)
    town.sync(ada=1_300)
    pass_until(town, 2, 23, 40)
    town.xp["ada"] = 1_000
    pass_until(town, 2, 23, 55)
    town.xp["ada"] = 1_300
    pass_until(town, 4, 0, 15)
    town.xp["ada"] = 1_200
    pass_until(town, 5, 0, 15)
    assert "XP went from 1,000 to 1,300, which is no rise above the readings before" in asked(town, 3)
    assert "XP went from 1,300 to 1,200, which is no rise above the readings before" in asked(town, 4)


def test_xp_that_fell_and_came_back_did_not_stay() -> None:
    """A rise that the reading at 00:00 shows, and that is lost again on the day, is not said to have never been."""
    town = Community()
    town.enroll("ada")
    town.sync(ada=1_000)
    pass_until(town, 2, 23, 45)
    town.xp["ada"] = 1_300
    pass_until(town, 3, 10)
    town.xp["ada"] = 1_000
    pass_until(town, 4, 0, 15)
    assert "96 readings that day, XP moved, and was back at 1,000 by its end, and no award" in asked(town, 3)


def test_xp_of_another_account_is_not_compared() -> None:
    """On the day on which another account is opened, its XP is not compared with that of the account before."""
    town = Community()
    town.enroll("ada")
    town.sync(ada=1_000)
    pass_until(town, 3, 10)
    town.engage.unlink("ada", by="admin-7")
    town.xp["bo"] = 1_300
    town.engage.link("ada", IDS["bo"], by="admin-7")
    pass_until(town, 4, 0, 15)
    said = asked(town, 3)
    assert "As far as it was watched, counting began at 1,300 XP, and no award" in said
    assert "XP at its end: 1,300" in said
    assert "1,000" not in said


def test_xp_of_another_board_is_not_compared() -> None:
    """On the day on which another board is adopted, its XP is not compared with that of the board before."""
    town = Community()
    town.enroll("ada")
    town.sync(ada=1_000)
    pass_until(town, 3, 10)
    town.board_id, town.xp["ada"] = "mee6:2", 9_000
    town.engage.sync(adopt_board=True, fresh=True, by="admin-7", reason="a new server")
    town.sync(ada=8_900)
    pass_until(town, 4, 0, 15)
    said = asked(town, 3)
    assert "XP counting started over at 9,000 XP, and the last reading showed 8,900, and no award" in said
    assert "no rise" not in said
    assert "XP last read before it" not in said


@pytest.mark.parametrize(
    ("xp", "told"),
    [
        (900, "XP was at 1,150 at the one before and at 900 at the one after"),
        (1_140, "the one before showed 1,150 XP, and the one after no rise above the readings before"),
        (1_150, "XP stayed at 1,150"),
    ],
)
def test_a_day_without_a_reading_says_what_the_next_one_showed(xp: int, told: str) -> None:
    """A day without any reading of its own does not say that XP stayed if the next reading was lower."""
    town = Community()
    town.enroll("ada")
    town.sync(ada=1_000)
    town.sync(ada=1_180)
    town.sync(ada=1_150)
    town.now = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
    town.sync(ada=xp)
    pass_until(town, 5, 0, 15)
    assert f"there was no reading that day, but one before and one after, {told}, and no award" in asked(town, 3)


def last_entry(town: Community) -> str:
    """Return what is said about ada's last entry."""
    return answer(town.engage.why("ada", entry=town.engage.history("ada", limit=1)[0].position), WORDS)


@pytest.mark.parametrize("xp", [900, 9_000, None])
@pytest.mark.parametrize("is_left", [True, False])
def test_a_board_adopted_while_somebody_was_away_is_named(xp: int | None, *, is_left: bool) -> None:
    """If another board was adopted while an account could not be looked for, its first reading there says so."""
    town = Community()
    town.enroll("ada")
    town.sync(ada=1_000)
    if is_left:
        town.engage.leave("ada", by="admin-6")
    else:
        town.missed = {"ada"}
    pass_until(town, 3, 10)
    town.board_id = "mee6:2"
    town.engage.sync(adopt_board=True, fresh=True, by="admin-7", reason="a new server")
    pass_until(town, 4, 9)
    town.missed = set()
    if is_left:
        town.engage.rejoin("ada", by="admin-6")
    town.sync(ada=xp)
    because = 'because admin-7 moved to another board at Tue 2026-03-03 10:00 UTC (reason: "a new server"), and this is'
    said = f"At Wed 2026-03-04 09:15 UTC XP counting started over at {xp or 0:,} XP, {because} the first reading"
    assert said in last_entry(town)
    assert said in asked(town, 4)


def test_what_earlier_readings_missed_is_no_matter_of_the_board() -> None:
    """History that an earlier board had missed is called so, also after another board was adopted."""
    town = Community()
    town.enroll("ada")
    town.sync(ada=1_000)
    town.engage.leave("ada", by="admin-6")
    town.board_id = "mee6:2"
    town.engage.sync(adopt_board=True, fresh=True, by="admin-7", reason="a new server")
    town.engage.rejoin("ada", by="admin-6")
    town.sync(ada=None)
    town.sync(ada=9_000)
    assert "started over at 9,000 XP, which earlier readings had missed." in last_entry(town)


@pytest.mark.parametrize("days_away", [3, 11])
def test_an_undone_leave_is_not_called_a_board_that_moved(days_away: int) -> None:
    """Until the next reading after a leave was undone, the account was not looked for because it was noted as left."""
    town = Community()
    town.enroll("ada", "bo")
    town.sync(ada=1_000, bo=1_000)
    pass_until(town, 3, 10)
    town.now += timedelta(minutes=1)
    town.engage.leave("ada", by="admin-6", reason="not seen")
    pass_until(town, 3 + days_away, 10)
    town.now += timedelta(minutes=1)
    town.engage.rejoin("ada", never_left=True, by="admin-7", reason="a mistake")
    said = asked(town, 3 + days_away)
    since = "Tue 2026-03-03 10:00 UTC" if days_away == 3 else "Sat 2026-03-14 10:02 UTC"
    why = f'as left (reason: "not seen"), which was undone, and no reading since {since} has looked for the account'
    assert why in said
    assert "admin-6 had marked" in said
    assert "the leaderboard moved" not in said
    town.sync()
    assert "which was undone" not in asked(town, 3 + days_away)


def test_a_board_that_moved_is_called_so_after_an_undone_leave() -> None:
    """A leave that was undone long ago is no reason why the account was missed today."""
    town = Community()
    town.enroll("ada")
    town.sync(ada=1_000)
    town.engage.leave("ada", by="admin-6")
    town.engage.rejoin("ada", never_left=True, by="admin-7", reason="a mistake")
    pass_until(town, 3, 10)
    town.missed = {"ada"}
    pass_until(town, 4, 10)
    assert "the leaderboard moved while it was read" in asked(town, 3)

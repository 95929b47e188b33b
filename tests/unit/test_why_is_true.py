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

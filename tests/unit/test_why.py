"""What happened to Ada, and the first sentence of the answer that explains it (R6a, R13a, R26-R28)."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from attrs import frozen

from support.community import LEDGERS, Community, opened
from support.pages import PLACE, mounted, shown
from trc_engage import EngageError, SourceError
from trc_engage.entrypoints.wire.stories import Why as Shown
from trc_engage.entrypoints.wording import Words
from trc_engage.entrypoints.wording.why import answer, proof

ONE_DAY = timedelta(days=1)
HOURS = (9, 12, 15, 18, 21)
FRIENDS = ("bo", "cy", "dee", "eli", "fay")


class Town(Community):
    """A community that syncs five times a day, and settles."""

    def begin(self) -> "Town":
        """Enroll Ada and five friends, and open their accounts on Monday, 2 March 2026, at 09:00."""
        for name in ("ada", *FRIENDS):
            self.engage.enroll(name, discord_id=self.ids[name], name=name.title(), by="import")
            self.xp[name] = 1_000
        self.engage.sync()
        return self

    def day(self, *chats: str, at: Callable[[int], None] | None = None, friends: bool = True) -> None:
        """Let the rest of a day pass: members chat before noon, and `at` is called at each hour of a reading."""
        for hour in HOURS:
            now = self.now.replace(hour=hour, minute=0)
            if now < self.now:
                continue
            self.now = now
            for name in (*chats, *(FRIENDS if friends else ())):
                if hour == 12:
                    self.chat(name)
            if at is not None:
                at(hour)
            self.read_board()
        self.now = datetime.combine(self.now.date() + ONE_DAY, time(), UTC)
        self.read_board()
        self.now += timedelta(minutes=5)
        self.engage.settle()

    def read_board(self) -> None:
        """Sync, even if that fails."""
        with suppress(SourceError):
            self.engage.sync(fresh=True)

    def days(self, chatting: str) -> None:
        """Let weekdays pass on which Ada chats ("c") or not ("-"); weekends pass by themselves."""
        for sign in chatting:
            while self.now.weekday() >= 5:
                self.day()
            self.day(*(["ada"] if sign == "c" else []))


@pytest.fixture(params=LEDGERS)
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """Yield the town on Monday morning, on each ledger."""
    with opened(request.param, tmp_path) as ledger:
        yield Town(ledger).begin()


@frozen
class Case:
    """What happens, what is asked, and what the answer must and must not contain."""

    happens: Callable[[Town], object]
    says: tuple[str, ...]
    day: date | None = None
    entry: int | None = None
    """Or the entry that is asked about, counted back from the last."""
    never: tuple[str, ...] = ("nothing was earned",)
    facts: tuple[str, ...] = ()
    """What the JSON must contain."""


def march(day: int) -> date:
    """Return a day of March 2026, of which the 2nd is a Monday."""
    return date(2026, 3, day)


def left_by_mistake(town: Town) -> None:
    town.days("ccc")
    town.now = datetime(2026, 3, 5, 9, 10, tzinfo=UTC)
    town.engage.leave("ada", by="admin-7", reason="not seen")
    town.days("cc")
    town.day()
    town.day()
    town.now = datetime(2026, 3, 9, 9, 10, tzinfo=UTC)
    town.engage.rejoin("ada", by="admin-8")
    town.days("c")


def another_account(town: Town) -> None:
    town.days("c")
    town.now = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
    town.engage.unlink("ada", by="admin-7", reason="a second account")
    town.days("c")
    town.now = datetime(2026, 3, 4, 13, 0, tzinfo=UTC)
    town.engage.link("ada", "80351110224679999", by="admin-7")
    town.days("-")


def taken_back(town: Town) -> None:
    town.days("-")
    town.award("ada", "benchmark:17", points=50)
    town.days("-")
    town.engage.reverse("benchmark:17", reason="a wrong run", by="admin-7")


def ended(town: Town) -> None:
    town.days("ccccccccccccc")
    town.days("-")


def fell_by_a_reversal(town: Town) -> None:
    town.days("c-c")
    town.award("ada", "late", at=datetime(2026, 3, 3, 12, tzinfo=UTC))
    town.engage.reverse("late", reason="not hers", by="admin-7")


def excuse_undone(town: Town) -> None:
    town.days("c-c")
    town.engage.excuse(march(3), reason="ill", by="admin-7", member_id="ada", note="a call")
    town.now += timedelta(minutes=1)
    town.engage.unexcuse(march(3), by="admin-8", reason="a mistake", member_id="ada")


def admin_took(town: Town) -> None:
    town.xp["ada"] = 2_225
    town.day()
    town.xp["ada"] = 1_759
    town.day()


def accepted(town: Town) -> None:
    town.day()
    for name in town.xp:
        town.xp[name] -= 466
    town.now += timedelta(hours=1)
    town.engage.sync(accept_drops=True, by="admin-7", reason="MEE6 cleaned up")


def booked_late(town: Town) -> None:
    town.days("c-c")
    town.engage.award(
        "ada", source="benchmark", points=50, key="run:1", at=datetime(2026, 3, 3, 12, tzinfo=UTC), by="web app"
    )


def holiday(town: Town) -> None:
    town.days("c")
    town.engage.excuse(march(3), reason="Christmas", by="admin-7")
    town.days("-")


def outage(town: Town) -> None:
    town.days("c")
    town.trouble = SourceError("down", "no answer")
    town.day()
    town.day()
    town.trouble = None
    town.day(friends=False)


def frozen_day(town: Town) -> None:
    town.days("c")
    town.day(friends=False)


def over_midnight(town: Town) -> None:
    town.days("c")
    town.trouble = SourceError("down", "no answer")
    town.day("ada")
    town.trouble = None
    town.day()


def weekend(town: Town) -> None:
    town.days("ccccc")
    town.day("ada")


def adopted(town: Town) -> None:
    town.days("c")
    town.now += timedelta(hours=9)
    town.board_id = "mee6:2"
    town.engage.sync(adopt_board=True, by="admin-7", reason="a new server")
    town.day()


def mid_week(town: Town) -> None:
    town.days("cc")
    town.now += timedelta(hours=10)
    town.engage.enroll("gus", discord_id=town.ids["gus"], by="import")


def two_causes(town: Town) -> None:
    town.days("c-c")
    town.award("ada", "late", at=datetime(2026, 3, 3, 12, tzinfo=UTC))
    town.now += timedelta(minutes=1)
    town.engage.excuse(march(3), reason="ill", by="admin-7", member_id="ada")
    town.now += timedelta(minutes=1)
    town.engage.reverse("late", reason="twice", by="admin-8")


def mended(town: Town) -> None:
    left_by_mistake(town)
    town.engage.rejoin("ada", never_left=True, by="admin-9", reason="marked by mistake")
    town.day()


def two_awards(town: Town) -> None:
    town.days("c")
    town.award("ada", "one", points=10)
    town.award("ada", "two", points=20)
    town.days("-")
    town.engage.reverse("one", reason="a wrong run", by="admin-7")


def adjusted(town: Town) -> None:
    town.days("c")
    town.engage.adjust("ada", points=-7, key="fix:1", reason="a typo", by="admin-7")


def season(town: Town) -> None:
    town.day("ada")
    for name in town.xp:
        town.xp[name] = 10
    town.now += timedelta(hours=1)
    town.engage.sync(rebase_drops=True, by="admin-7", reason="a new season")


def reset_while_away(town: Town) -> None:
    town.days("c")
    town.now += timedelta(hours=8)
    town.engage.leave("ada", by="roster")
    town.day()
    town.xp["ada"] = 40
    town.now += timedelta(hours=8)
    town.engage.rejoin("ada", by="roster")
    town.day()


def still_away(town: Town) -> None:
    town.days("c")
    town.now += timedelta(hours=10)
    town.engage.leave("ada", by="admin-7", reason="said good-bye")
    town.day()


def away_for_long(town: Town) -> None:
    town.days("c")
    town.engage.leave("ada", by="admin-7")
    for _ in range(9):
        town.day()
    town.engage.rejoin("ada", never_left=True, by="admin-8", reason="a mix-up")
    town.day("ada")


def off_the_board(town: Town) -> None:
    town.days("cc")
    del town.xp["ada"]
    town.day()


def bonus(town: Town) -> None:
    town.days("c")
    town.now += timedelta(hours=9)
    town.engage.award(
        "ada", source="bonus", points=5, key="milestone:ada:1", at=town.now, by="web app", counts_as_activity=False
    )
    town.day()


TABLE: dict[str, Case] = {
    "left by mistake, on Thursday": Case(
        left_by_mistake,
        (
            "streak of 3",
            "was not watched from 09:10 UTC on",
            "Thu 2026-03-05 09:10 UTC to Mon 2026-03-09 09:10 UTC",
            "admin-7 had marked Ada as left",
            '(reason: "not seen")',
        ),
        march(5),
        None,
        ("nothing was earned", "was missed"),
        ("not_watched", '"by": "admin-7"', "2026-03-09T09:10:00+00:00"),
    ),
    "left by mistake, on Friday": Case(
        left_by_mistake, ("was not watched:", "admin-7 had marked Ada as left", "Thu 2026-03-05 09:10 UTC"), march(6)
    ),
    "another account linked": Case(
        another_account,
        (
            "streak of 1",
            "was not watched from 10:00 UTC on",
            'admin-7 had unlinked Ada\'s Discord account (reason: "a second account")',
            "Tue 2026-03-03 10:00",
            "Wed 2026-03-04 13:00",
        ),
        march(3),
    ),
    "the second account's first day": Case(
        another_account, ("a new account was linked", "by admin-7", "Wed 2026-03-04 13:00"), march(4)
    ),
    "an award taken back": Case(
        taken_back,
        ("-50 points", "admin-7 took back", "a wrong run", "2026-03-04 00:05"),
        facts=('"points": 50', '"points": -50'),
    ),
    "a streak of 13 ended": Case(
        ended,
        ("streak of 13 weekdays ended on Thu 2026-03-19", "6 readings", "XP stayed at 1,260"),
        facts=('"xp_first": 1260', '"xp_last": 1260', '"readings": 6', '"kind": "ended"'),
    ),
    "a streak fell by a reversal": Case(
        fell_by_a_reversal,
        ("admin-7 took back", '(reason: "not hers")', "Thu 2026-03-05 00:05", "from 3 to 1"),
        facts=('"cause": "reversal"',),
    ),
    "the undoing of an excuse": Case(
        excuse_undone,
        ("admin-8 withdrew the excusal of Tue 2026-03-03", "a mistake", "from 2 to 1", "Thu 2026-03-05 00:06"),
        facts=('"cause": "required"',),
    ),
    "an admin took XP on Discord": Case(
        admin_took,
        ("XP was taken away on Discord, not here", "1,759", "466", "2026-03-03 09:00"),
        entry=0,
        facts=('"xp_before": 2225',),
    ),
    "a loss accepted": Case(
        accepted, ("accepted by admin-7", "MEE6 cleaned up", "2026-03-03 01:05"), facts=('"by": "admin-7"',)
    ),
    "an award booked late": Case(
        booked_late,
        (
            "Tue 2026-03-03 counts",
            "of Tue 2026-03-03 12:00",
            "booked on Thu 2026-03-05 00:05",
            "by web app",
        ),
        march(3),
        facts=("booked_at",),
    ),
    "a holiday": Case(holiday, ("Tue 2026-03-03 was excused", "for everybody by admin-7", "Christmas"), march(3)),
    "an outage over two days": Case(outage, ("no reading that day", "XP stayed at 1,020"), march(4)),
    "a frozen day": Case(frozen_day, ("not settled yet", "breaks no streak"), march(3)),
    "a window over midnight": Case(
        over_midnight, ("counts", "XP rose at some time between", "Tue 2026-03-03 00:00", "Wed 2026-03-04"), march(3)
    ),
    "a weekend at work": Case(weekend, ("Sat 2026-03-07 is on a weekend", "adds nothing", "XP rose"), march(7)),
    "a board adopted": Case(
        adopted, ("was not watched until 09:05 UTC", "admin-7 moved to another board", "a new server"), march(3)
    ),
    "nothing wrong at all": Case(
        lambda town: town.days("cc"), ("Nothing has been lost since enrollment",), facts=('"about": "nothing"',)
    ),
    "two causes on one day": Case(two_causes, ("Tue 2026-03-03 was excused", "by admin-7", "ill"), march(3)),
    "a leave that was a mistake": Case(mended, ("Fri 2026-03-06 counts", "XP rose"), march(6)),
    "one of two awards taken back": Case(
        two_awards, ("Tue 2026-03-03 counts", "entry 8 has +20 points"), march(3), facts=('"reverses": 7',)
    ),
    "points taken by hand": Case(adjusted, ("-7 points by hand", "by admin-7", "a typo", "2026-03-03 00:05")),
    "a new season": Case(season, ("started over at 10 XP", "by admin-7", "a new season", "2026-03-03 01:05"), entry=0),
    "reset while away": Case(
        reset_while_away, ("started over at 40 XP", "less than before the leave", "2026-03-04 09:00"), entry=0
    ),
    "still away": Case(
        still_away,
        ("streak of 1", "not watched from 10:05 UTC on", "admin-7 had marked Ada as left", "said good-bye"),
        march(3),
    ),
    "a long leave that was a mistake": Case(
        away_for_long, ("Thu 2026-03-05 was excused", "by admin-8", "2026-03-12 00:05", "a mix-up"), march(5)
    ),
    "not on the board": Case(off_the_board, ("streak of 2", "2026-03-04", "XP stayed at 1,040"), march(4)),
    "a bonus is not activity": Case(
        bonus, ("streak of 1", "2026-03-03", "no award"), march(3), facts=("milestone:ada:1",)
    ),
    "a day before enrollment": Case(
        Town.day, ("was before enrollment, and XP does not count for it",), march(1), never=("nothing counts",)
    ),
    "today": Case(lambda town: town.days("c"), ("not settled yet",), march(3)),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_first_sentence_says_why(town: Town, name: str) -> None:
    """The first sentence has what happened and by whom; the JSON has the same facts, and a member reads no names."""
    case = TABLE[name]
    case.happens(town)
    entry = None if case.entry is None else town.engage.history("ada")[case.entry].position
    why = town.engage.why("ada", day=case.day, entry=entry)
    said = answer(why, Words())
    first = said.split(". ")[0]
    assert [part for part in case.says if part not in first] == [], first
    assert [part for part in case.never if part in said] == []
    facts = json.dumps(Shown.of_why(why, Words()))
    assert [part for part in case.facts if part not in facts] == [], facts
    for_member = answer(why, Words(for_admin=False))
    lines = [] if why.day is None else [*proof(why.day, Words(for_admin=False))]
    assert "admin-" not in for_member + "".join(lines)
    assert "a call" not in for_member + "".join(lines)
    if case.day is None and entry is None:
        return
    asked = f"day={case.day}" if entry is None else f"entry={entry}"
    page = shown(mounted(town.engage, lambda _, member_id: member_id == "ada"), f"{PLACE}/members/ada?{asked}")
    assert page.one("section", id="why").one("p", class_="lead").words == for_member


def test_who_was_enrolled_mid_week_was_not_watched_before(town: Town) -> None:
    """The day of an enrollment was watched only in part, and the one before it is before the enrollment."""
    mid_week(town)
    town.day()
    said = [answer(town.engage.why("gus", day=march(day)), Words()) for day in (3, 4)]
    assert "before enrollment" in said[0]
    assert "was not watched until 12:00 UTC" in said[1]
    assert "a new account was linked" in said[1]


def test_a_day_is_told_of_a_store_that_no_sync_has_seen() -> None:
    """Without any sync, the day of the enrollment was not watched, and the day before is before the enrollment."""
    town = Town()
    town.enroll("ada")
    said = [answer(town.engage.why("ada", day=march(day)), Words()) for day in (1, 2)]
    assert "before enrollment" in said[0]
    assert "not watched" in said[1]


def test_several_causes_are_told_in_order_of_time(town: Town) -> None:
    """The answer begins with what holds now, has each cause once, in order of time, and ends with the streak."""
    two_causes(town)
    said = answer(town.engage.why("ada", day=march(3)), Words())
    told = (
        "when the day was closed",
        "booked late (entry",
        "the day was excused, which",
        "admin-8 took back",
        "is now 2",
    )
    assert said.startswith("Tue 2026-03-03 was excused")
    assert [said.count(part) for part in told] == [1] * len(told), said
    assert sorted(told, key=said.index) == list(told)
    assert [event.kind for event in town.engage.story("ada").events] == ["grew", "ended", "grew", "changed", "changed"]


def test_an_entry_is_reckoned_for_a_child(town: Town) -> None:
    """The answer about a deduction shows each step of the calculation, word for word."""
    admin_took(town)
    why = town.engage.why("ada", entry=next(e.position for e in town.engage.history("ada") if e.points < 0))
    said = answer(why, Words())
    assert "it fell from 2,225 to 1,759, by 466. This system does not see who took it." in said
    assert "466 XP less the 25 carried are 441 XP." in said
    assert "They cost 5 points (500 XP), and 59 XP left over (500 - 441) are carried." in said
    with pytest.raises(EngageError, match="entry: "):
        town.engage.why("ada", entry=1_000)


def test_an_admin_reads_what_to_do_about_this_member(town: Town) -> None:
    """An admin reads commands to paste: undo a leave, book an award, or excuse the day; a member reads none."""
    left_by_mistake(town)
    undo = "`trc-engage members returned ada --never-left --by YOU --reason WHY`. The days then count if XP rose."
    why = town.engage.why("ada", day=march(6))
    assert f"undo it with {undo}" in answer(why, Words())
    assert "`" not in answer(why, Words(for_admin=False))
    town.engage.enroll("m 2; rm", discord_id=town.ids["gus"], by="import")
    town.days("cc")
    said = answer(town.engage.why("m 2; rm", day=town.now.date() - ONE_DAY), Words())
    day = town.now.date() - ONE_DAY
    assert f"`trc-engage award 'm 2; rm' --source SOURCE --points N --key KEY --at {day}T12:00Z`" in said
    assert f"`trc-engage excuse {day} --member 'm 2; rm' --by YOU --reason WHY`" in said


def test_a_day_of_a_window_counts_by_the_benefit_of_the_doubt(town: Town) -> None:
    """If a day of a window had no reading, the answer says that it counts, and the proof has the last known XP."""
    over_midnight(town)
    why = town.engage.why("ada", day=march(3))
    assert why.day is not None
    assert "The account was not read in between, so each of these days counts as active." in answer(why, Words())
    assert any("1,020 (the last readings known" in line for line in proof(why.day, Words()))


def test_times_are_shown_in_a_zone(town: Town) -> None:
    """Times are shown in the chosen timezone, while days stay UTC days."""
    left_by_mistake(town)
    said = answer(town.engage.why("ada", day=march(6)), Words(zone=ZoneInfo("Europe/Berlin")))
    assert "Fri 2026-03-06" in said
    assert "Thu 2026-03-05 10:10 CET" in said


def test_a_member_is_found(town: Town) -> None:
    """A member is found by id, Discord id or name; several are listed in an error, and none is one too."""
    engage = town.engage
    engage.enroll("m-2", name="Ada Byron")
    assert [engage.resolve(text) for text in ("ada", town.ids["bo"], "Ada", "byron", "FAY")] == [
        "ada",
        "bo",
        "ada",
        "m-2",
        "fay",
    ]
    engage.enroll("m-3", name="Ada Byron King")
    with pytest.raises(EngageError, match=r"m-2.*m-3"):
        engage.resolve("Ada B")
    with pytest.raises(EngageError, match="not enrolled"):
        engage.resolve("nobody")


def test_what_is_changed_needs_a_full_name(town: Town) -> None:
    """With `exact`, an id, a Discord id or a full name is found; the beginning of a name names whom it could mean."""
    engage = town.engage
    engage.enroll("m-2", name="Linus Torvalds")
    found = [engage.resolve(text, exact=True) for text in ("m-2", town.ids["bo"], "linus torvalds")]
    assert found == ["m-2", "bo", "m-2"]
    for beginning in ("Lin", "Linus", "torvalds"):
        assert engage.resolve(beginning) == "m-2"
        with pytest.raises(
            EngageError, match=r"could be 'm-2' \(Linus Torvalds\); nothing was done; give the member's id"
        ):
            engage.resolve(beginning, exact=True)
    with pytest.raises(EngageError, match="not enrolled"):
        engage.resolve("nobody", exact=True)


def test_what_mended_a_lost_streak_is_said_with_its_loss(town: Town) -> None:
    """An answer about a streak that ended also says which excuses restored it since, and how long it is now."""
    town.days("ccc--c")
    lost = answer(town.engage.why("ada"), Words())
    assert "The streak goes on only if each weekday after it counts, too." in lost
    for day in (5, 6):
        town.now += timedelta(minutes=1)
        town.engage.excuse(march(day), reason="ill", by="admin-7", member_id="ada")
    said = answer(town.engage.why("ada"), Words())
    assert "The streak of 3 weekdays ended on Thu 2026-03-05" in said
    assert "Fri 2026-03-06 was excused, so the streak rose from 1 to 4" in said
    assert "The streak is now 4 weekdays." in said


def test_points_and_a_streak_lost_together_are_both_said(town: Town) -> None:
    """Whichever was lost last is explained, and the other is named if it was lost within a week."""
    town.days("cc")
    town.award("ada", "one", points=10)
    town.now += timedelta(minutes=1)
    town.engage.reverse("one", reason="a wrong run", by="admin-7")
    position = town.engage.history("ada")[0].position
    town.days("-")
    said = answer(town.engage.why("ada"), Words())
    assert "ended on" in said.split(". ")[0]
    assert f"Also, entry {position} took 10 points at" in said
    town.award("ada", "two", points=10)
    town.now += timedelta(minutes=1)
    town.engage.reverse("two", reason="a wrong run", by="admin-7")
    said = answer(town.engage.why("ada"), Words())
    assert "-10 points" in said.split(". ")[0]
    assert "Also, the streak of" in said
    town.now += timedelta(days=8)
    town.engage.adjust("ada", points=-1, key="fix", reason="x", by="admin-7")
    assert "Also" not in answer(town.engage.why("ada"), Words())


def test_an_open_day_says_what_it_waits_for(town: Town) -> None:
    """A day waits for its end, then for a reading that begins after it, then for a settlement."""

    def told() -> str:
        return answer(town.engage.why("ada", day=march(2)), Words())

    said = ("no reading has begun since", "A reading has begun since it ended")
    assert [one in told() for one in said] == [False, False]
    town.now = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
    assert [one in told() for one in said] == [True, False]
    town.read_board()
    assert [one in told() for one in said] == [False, True]
    town.engage.settle()
    assert [one in told() for one in said] == [False, False]

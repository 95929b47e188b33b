"""Shapes of the answers to why: a member's day, entry or streak, explained in words, with the facts behind it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal, Self

from ...core import story
from ..wording import Words
from ..wording.why import answer
from .members import Entry, Event, Evidence, OfMember, StreakChange
from .runs import Excusal
from .shape import Shape, Shown


class Gap(Shape, core=story.Gap, fields="since until cause by reason=event.reason"):
    """A time in which the member's XP was not watched."""

    until: Annotated[datetime | None, Shown("Null if it has not ended.")]
    by: Annotated[str | None, Shown("Who made the change that started it.", of="event.actor")]


class StreakEvent(Shape, core=story.StreakEvent, fields="kind first_day day at before after"):
    """A change of a streak."""

    first_day: Annotated[date | None, Shown("The first day on which it grew.")]
    day: Annotated[
        date, Shown("The last day on which it grew, the day that ended it, or the first day of the late news.")
    ]
    at: Annotated[datetime, Shown("When that day was settled, or the news was posted.")]
    change: StreakChange | None


class Day(Shape, core=story.DayStory, fields="day mark active=of.is_active evidence not_watched settled_at"):
    """A day, and what is known about it."""

    evidence: Annotated[Sequence[Evidence], Shown(of="of.evidence")]
    not_watched: Annotated[Sequence[Gap], Shown(of="gaps")]
    readings: Annotated[int, Shown("How many good syncs began on this day.", of=lambda one: len(one.runs))]
    longest_gap: Annotated[
        Sequence[datetime],
        Shown("The longest time without a reading: from and to.", of=lambda one: one.longest_gap or ()),
    ]
    xp_first: Annotated[int | None, Shown("The last XP read before this day.")]
    xp_last: Annotated[int | None, Shown("The last XP read by the end of this day.")]
    entries: Sequence[Entry]
    events: Sequence[Event]
    excusals: Sequence[Excusal]
    streak: Annotated[Sequence[StreakEvent], Shown("How this day changed the streak.", of="life")]


class Why(OfMember):
    """An answer in words, and the facts behind it."""

    about: Annotated[Literal["nothing", "day", "entry", "streak"], Shown("`nothing` if nothing was ever lost.")]
    answer: str
    day: Day | None
    entry: Entry | None
    partner: Annotated[
        Entry | None, Shown("The award that the entry takes back, or the reversal that took the entry back.")
    ]
    event: Annotated[StreakEvent | None, Shown("The change of the streak that the answer is about.")]

    @classmethod
    def of_why(cls, why: story.Why, words: Words) -> Self:
        """Fill the shape, with the answer in words."""
        return cls.of(why, member_id=why.standing.member_id, answer=answer(why, words))


class Whys(OfMember):
    """An answer for each day of a range."""

    days: Annotated[Sequence[Why], Shown("Newest first.")]

    @classmethod
    def of_whys(cls, found: Sequence[story.Why], words: Words) -> Self:
        """Fill the shape, with an answer for each day."""
        member_id = found[0].standing.member_id
        return cls.of(member_id=member_id, days=[Why.of_why(one, words) for one in found][::-1])


class Story(OfMember):
    """The history of a streak."""

    events: Annotated[Sequence[StreakEvent], Shown("Oldest first.")]

    @classmethod
    def of_story(cls, told: story.Story) -> Self:
        """Fill the shape."""
        return cls.of(told, member_id=told.standing.member_id)

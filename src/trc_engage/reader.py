"""`Reader`: the read-only API, built on the `Views` port."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Literal, get_args

from attrs import evolve, frozen

from .core import streaks
from .core.days import ONE_DAY
from .core.errors import AmbiguousMember, InvalidValue, UnknownMember
from .core.model import Entry, Status
from .core.ports import Clock, Views
from .core.records import Check, Excusal, MembershipEvent
from .core.reports import Explanation, Found, MemberDay, MemberFacts, Rank, Selection, Standing, member_day
from .core.settlement import ends_at
from .core.story import (
    DayStory,
    Gap,
    GoodRun,
    Story,
    StreakEvent,
    Why,
    activities,
    begins_at,
    decided_by,
    gaps_of,
    life_of,
    longest_gap,
    watched,
    xp_next,
)
from .core.streaks import MILESTONES, Milestone
from .core.validation import (
    ID_LENGTH_MAX,
    LIMIT_MAX,
    SOURCE_LENGTH_MAX,
    clock_in_utc,
    sought_words,
    validate_day,
    validate_each,
    validate_limit,
    validate_member_id,
    validate_name,
    validate_points,
    validate_position,
    validate_printable,
)

DAYS_MAX = 1_000
AMBIGUOUS_SHOWN_MAX = 6
BOTH_WITHIN = timedelta(days=7)


class Reader:
    """Read-only access to a store.

    Every method may raise `LedgerBusy`, `LedgerFailed` and, for invalid arguments, `InvalidValue`;
    those that take a member id raise `UnknownMember`.
    """

    def __init__(self, *, views: Views, clock: Clock, milestones: Sequence[int] = MILESTONES) -> None:
        self._views = views
        self._clock = clock_in_utc(clock)
        self._milestones = _thresholds("milestones", milestones)

    def standing(self, member_id: str) -> Standing:
        """Return a member's standing, including the streak."""
        return self._standing(*self._facts(member_id))

    def milestones(self, member_id: str) -> Sequence[Milestone]:
        """Return the milestones that the member's longest streak has reached, lowest first (R17)."""
        facts, _ = self._facts(member_id)
        return streaks.reached(member_id, facts.streak.longest, self._milestones)

    def days(self, member_id: str, first_day: date, last_day: date) -> Sequence[MemberDay]:
        """Return what each day meant for the member's streak, and why; at most 1,000 days."""
        validate_span(first_day, last_day)
        facts, _ = self._facts(member_id)
        return self._days(facts, first_day, last_day)

    def explain(self, member_id: str, first_day: date, last_day: date) -> Explanation:
        """Return a member's standing and days, with the entries that count for these days.

        Only the member's newest 10,000 entries are searched.
        """
        validate_span(first_day, last_day)
        facts, today = self._facts(member_id)
        newest = self._views.history(facts.standing.member_id, limit=LIMIT_MAX)
        entries = [entry for entry in newest if first_day <= entry.day <= last_day]
        return Explanation(self._standing(facts, today), self._days(facts, first_day, last_day), entries)

    def members(
        self,
        *,
        after: str = "",
        limit: int | None = None,
        ids: Collection[str] | None = None,
        name: str | None = None,
        status: Status | Literal["none"] | None = None,
        never_seen: bool = False,
    ) -> Sequence[Standing]:
        """Return standings by member id, without streaks: everyone's, or a page of those above the id `after`.

        Filters: member ids; words, or parts of words, in the name; the status of the Discord account (`none` for no
        account); accounts that no board has ever shown (R31).
        """
        if after != "":
            validate_printable("after", after, ID_LENGTH_MAX)
        if status not in {None, "none", *get_args(Status)}:
            raise InvalidValue("status", status, f"give one of {', '.join([*get_args(Status), 'none'])}")
        which = Selection(
            None if ids is None else frozenset(map(validate_member_id, ids)),
            None if name is None else sought_words(validate_name(name)),
            status,
            never_seen,
        )
        return self._views.members(which, after=after, limit=None if limit is None else validate_limit(limit))

    def never_seen(self) -> Sequence[str]:
        """Return in order the ids of members whose linked account no board ever showed; the link may be wrong (R31)."""
        return self._views.never_seen()

    def find(self, text: str, *, limit: int = 25) -> Sequence[Found]:
        """Return members by exact id or Discord id, then by name: each search word must begin a word of the name.

        Case and letter width are ignored. Hidden and forgotten members are not found by name. Check that the person
        searching may see a member before you show the result.
        """
        return self._views.find(validate_name(text, "text"), limit=validate_limit(limit))

    def presence(self, member_id: str) -> Check | None:
        """Return the roster's last answer about the member's linked account; None if there is none (R25)."""
        return next(iter(self._views.checks(validate_member_id(member_id))), None)

    def resolve(self, text: str, *, exact: bool = False) -> str:
        """Return the id of the only member with this id, Discord id or name, or with a name whose words begin like it.

        With `exact`, the beginning of a name is not enough: ask for it before you change anything. Raises
        `UnknownMember`, or `AmbiguousMember` if several members, or only a beginning, match.
        """
        found = self._views.find(validate_member_id(text), limit=AMBIGUOUS_SHOWN_MAX)
        whole = [one for one in found if one.member_id == text]
        whole = whole or [one for one in found if (one.name or "").casefold() == text.casefold()]
        whole = whole or [one for one in found if self._is_linked(one.member_id, text)]
        meant = whole or found
        if not meant:
            raise UnknownMember(text)
        if len(meant) > 1 or (exact and not whole):
            listed = (f"{one.member_id!r} ({one.name})" if one.name else repr(one.member_id) for one in meant)
            raise AmbiguousMember(text, ", ".join(listed))
        return meant[0].member_id

    def _is_linked(self, member_id: str, discord_id: str) -> bool:
        account = self._views.account_of(member_id)
        return account is not None and account.discord_id == discord_id

    def history(
        self, member_id: str, *, limit: int = 50, before: int | None = None, source: str | None = None
    ) -> Sequence[Entry]:
        """Return a member's entries, newest first, optionally below `before` or of one source; at most 10,000."""
        if before is not None:
            validate_position("before", before)
        if source is not None:
            validate_printable("source", source, SOURCE_LENGTH_MAX)
        validate_limit(limit)
        self._facts(member_id)
        return self._views.history(member_id, limit=limit, before=before, source=source)

    def events(
        self, member_id: str | None = None, *, after: int = 0, limit: int = LIMIT_MAX
    ) -> Sequence[MembershipEvent]:
        """Return a member's events or, for None, everyone's: what was done, when, by whom and why (R26).

        Oldest first, above number `after`. The member may read the reasons; notes are for admins.
        """
        if member_id is not None:
            self._facts(member_id)
        return self._views.events(member_id, after=validate_position("after", after), limit=validate_limit(limit))

    def feed(self, *, after: int = 0, limit: int = 500) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first.

        New entries never appear at or below a position you have seen (R23): store the last position you
        handled and pass it as `after` next time.
        """
        return self._views.feed(after=validate_position("after", after), limit=validate_limit(limit))

    def milestones_reached(
        self, *, after: int = 0, thresholds: Collection[int] | None = None, limit: int = 500
    ) -> Sequence[Milestone]:
        """Return who reached which milestones, in the order recorded, after a number (R17a).

        Each is recorded once and never withdrawn, even if the streak later shrinks: store the last number you handled
        and pass it as `after` next time. `thresholds` may differ from this object's own.
        """
        lengths = frozenset(self._milestones if thresholds is None else _thresholds("thresholds", thresholds))
        validate_position("after", after)
        return self._views.lengths_reached(lengths, after=after, limit=validate_limit(limit))

    def story(self, member_id: str) -> Story:
        """Return the story of the member's streak: how it grew, when it ended, and what changed it later (R28)."""
        told = self._told(member_id)
        return Story(told.standing, told.life)

    def why(self, member_id: str, *, day: date | None = None, entry: int | None = None) -> Why:
        """Explain a day or an entry; by default, the last change that cost the member points or a streak.

        Raises `InvalidValue` for an entry that is not the member's.
        """
        told = self._told(member_id)
        why = Why(told.standing, "nothing")
        if entry is not None:
            about = _about_entry(why, validate_position("entry", entry), told.entries)
            return evolve(about, decided=None if about.entry is None else self._decided(about.entry, told.entries))
        if day is not None:
            return evolve(why, about="day", day=self._day_story(told, validate_day("day", day)))
        why = _about_what_hurt(why, told.life, told.entries)
        return why if why.event is None else evolve(why, day=self._day_story(told, why.event.day))

    def whys(self, member_id: str, first_day: date, last_day: date) -> Sequence[Why]:
        """Explain each day of a span, oldest first; at most 1,000 days."""
        validate_span(first_day, last_day)
        told = self._told(member_id)
        return [Why(told.standing, "day", self._day_story(told, day)) for day in _each(first_day, last_day)]

    def excusals(self, member_id: str | None = None) -> Sequence[Excusal]:
        """Return how days were excused and required again, oldest first: all, or for everyone and one member (R13a)."""
        if member_id is not None:
            self._facts(member_id)
        return self._views.excusals(member_id)

    def leaderboard(self, *, month: date | None = None, limit: int = 25, present: bool = False) -> Sequence[Rank]:
        """Return the top of the visible members by points, of all time or of the UTC month that contains `month`.

        Here and below, `present` leaves out members noted as having left Discord.
        """
        return self._views.ranking(_first_day(month), limit=validate_limit(limit), present=present)

    def longest_streaks(self, *, limit: int = 25, present: bool = False) -> Sequence[Rank]:
        """Return the visible members with the longest current streaks."""
        return self._views.streak_ranking(limit=validate_limit(limit), present=present)

    def rank(self, member_id: str, *, month: date | None = None, present: bool = False) -> Rank:
        """Return a member's rank, even if outside the top or hidden."""
        found = self._views.rank_of(validate_member_id(member_id), _first_day(month), present=present)
        if found is None:
            raise UnknownMember(member_id)
        return found

    def today(self) -> date:
        """Return the current UTC day, by the clock."""
        return self._clock().date()

    def _standing(self, facts: MemberFacts, today: date) -> Standing:
        streak = streaks.standing(facts.streak, facts.calendar, facts.open_days, today, self._milestones)
        return evolve(facts.standing, streak=streak)

    def _days(self, facts: MemberFacts, first_day: date, last_day: date) -> Sequence[MemberDay]:
        found = groupby(self._views.evidence(facts.standing.member_id, first_day, last_day), key=lambda one: one.day)
        evidence = {day: tuple(group) for day, group in found}
        each, enrolled_on = _each(first_day, last_day), facts.enrolled_at.date()
        days = [member_day(day, evidence.get(day, ()), facts.calendar, enrolled_on) for day in each]
        if not any(day.mark == "missed" for day in days):
            return days
        gaps = self._gaps(facts)
        return [watched(day, gaps) for day in days]

    def _gaps(self, facts: MemberFacts) -> Sequence[Gap]:
        member_id, views = facts.standing.member_id, self._views
        events, resets = views.events(member_id), views.resets(member_id)
        return gaps_of(facts.enrolled_at, events, resets, views.account_of(member_id))

    def _told(self, member_id: str) -> "_Told":
        """Read what is needed once per member, however many days are explained."""
        (facts, today), views = self._facts(member_id), self._views
        entries = views.history(member_id, limit=LIMIT_MAX)
        known = activities(views.evidence(member_id, date.min, date.max), entries)
        settled = views.settled(date.min, date.max)
        life = life_of(settled, known, views.excusals(member_id), views.streak_changes(member_id))
        return _Told(facts, self._standing(facts, today), entries, life)

    def _day_story(self, told: "_Told", day: date) -> DayStory:
        """Read everything known about a day."""
        facts, member_id, views = told.facts, told.standing.member_id, self._views
        (of,) = self._days(facts, day, day)
        events = views.events(member_id)
        accounts = {event.account_id for event in events if event.account_id is not None}
        runs = views.good_runs(begins_at(day), ends_at(day))
        mine = [entry for entry in told.entries if day in {entry.day, entry.at.date()}]
        opened = {one.opens_at for one in of.evidence if one.opens_at is not None}
        is_over, after = self._clock() >= ends_at(day), [run.at for run in runs if run.at >= ends_at(day)]
        xp_last, on_it = views.xp_read(accounts, day), [run for run in runs if run.at.date() == day]
        is_known = bool(after) and not on_it
        return DayStory(
            of,
            [gap for gap in self._gaps(facts) if gap.touches(day) or gap.until in opened],
            views.settled(day, day).get(day),
            on_it,
            longest_gap(day, [run.at for run in runs], self._clock()),
            views.xp_read(accounts, day - ONE_DAY),
            xp_last,
            mine[::-1],
            [event for event in events if event.at.date() == day],
            [one for one in views.excusals(member_id) if one.day == day],
            [event for event in told.life if day in {event.day, event.at.date()} or _grew_on(event, day)],
            None if of.mark != "pending" else "end" if not is_over else "run" if after else "reading",
            {one.position: run for one in mine if (run := self._decided(one, told.entries)) is not None},
            xp_next(told.entries, after[0], xp_last, views.xp_read(accounts, after[0].date())) if is_known else None,
        )

    def _decided(self, entry: Entry, entries: Sequence[Entry]) -> GoodRun | None:
        """Return the good sync whose decision led to a rebase that names nobody."""
        if entry.kind != "rebase" or entry.actor is not None or entry.xp is None:
            return None
        mine = [one for one in entries if one.xp is not None and one.xp.account_id == entry.xp.account_id]
        since = next((one.at for one in mine if one.position < entry.position), None)
        return None if since is None else decided_by(entry, since, self._views.good_runs(since, entry.at))

    def _facts(self, member_id: str) -> tuple[MemberFacts, date]:
        today = self._clock().date()
        facts = self._views.facts(validate_member_id(member_id), today)
        if facts is None:
            raise UnknownMember(member_id)
        return facts, today


@frozen
class _Told:
    facts: MemberFacts
    standing: Standing
    entries: Sequence[Entry]
    """The member's newest 10,000, newest first."""
    life: Sequence[StreakEvent]


def _each(first_day: date, last_day: date) -> Iterator[date]:
    return map(date.fromordinal, range(first_day.toordinal(), last_day.toordinal() + 1))


def _grew_on(event: StreakEvent, day: date) -> bool:
    return event.kind == "grew" and event.first_day is not None and event.first_day <= day <= event.day


def _about_entry(why: Why, position: int, entries: Sequence[Entry]) -> Why:
    """Explain an entry, with its reversal or the award that it reverses."""
    found = {entry.position: entry for entry in entries}
    if position not in found:
        raise InvalidValue(
            "entry",
            position,
            "it is not among the newest 10,000 entries of this member; see the history",
        )
    entry = found[position]
    partner = next((one for one in entries if one.reverses == position), None) or found.get(entry.reverses or 0)
    return evolve(why, about="entry", entry=entry, partner=partner)


def _about_what_hurt(why: Why, life: Sequence[StreakEvent], entries: Sequence[Entry]) -> Why:
    """Explain the last loss: a streak that ended or shrank, or points deducted."""
    event = next((event for event in reversed(life) if event.hurts), None)
    lost = next((entry for entry in entries if entry.points < 0), None)
    are_both = lost is not None and event is not None and abs(lost.at - event.at) <= BOTH_WITHIN
    if lost is not None and (event is None or lost.at > event.at):
        return evolve(_about_entry(why, lost.position, entries), other=event if are_both else None)
    if event is None:
        return why
    later = [one for one in life if one.kind == "changed" and one.at > event.at and one.after > one.before]
    about: Literal["day", "streak"] = "day" if event.kind == "ended" else "streak"
    return evolve(why, about=about, event=event, later=later, other=lost if are_both else None)


def _thresholds(field: str, values: object) -> Sequence[int]:
    return [validate_points(one, field) for one in validate_each(field, values, int)]


def validate_span(first_day: date, last_day: date, first: str = "first_day", last: str = "last_day") -> None:
    """Raise `InvalidValue` unless the span has 1 to 1,000 days; `first` and `last` are its fields' names."""
    validate_day(first, first_day)
    if not 0 <= (validate_day(last, last_day) - first_day).days < DAYS_MAX:
        raise InvalidValue(last, last_day.isoformat(), f"give a day from {first_day} on, for {DAYS_MAX:,} days at most")


def _first_day(month: date | None) -> date | None:
    """Return the first day of a day's month."""
    return None if month is None else validate_day("month", month).replace(day=1)

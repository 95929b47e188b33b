"""Why, in words: what happened on a day, by an entry or to a streak, for admins and for the member."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from attrs import frozen

from ..core.membership import MembershipEvent
from ..core.model import Entry, XpChange
from ..core.posting import Excusal
from ..core.reports import StreakChange
from ..core.story import DayStory, Gap, GoodRun, StreakEvent, Why
from .wording import counted, dated, lasted, points

CARRIED = "carried XP is kept for the next point; 100 XP make one"


@frozen
class Words:
    """How to say it: to an admin, who reads who did it and the notes, or to the member; and in which zone."""

    for_admin: bool = True
    zone: tzinfo = UTC

    def by(self, actor: str | None) -> str:
        """Say who did something; the member reads that an admin did."""
        if actor is None:
            return "nobody said by whom"
        return f"by {actor}" if self.for_admin else "by an admin"

    def who(self, actor: str | None) -> str:
        """Say who did something, at the beginning of a sentence."""
        return actor if actor is not None and self.for_admin else "an admin"

    def at(self, at: datetime) -> str:
        """Say an instant with its weekday, in the zone."""
        local = at.astimezone(self.zone)
        return f"{local:%a %Y-%m-%d %H:%M} {local.tzname() or 'UTC'}"

    def because(self, reason: str | None, note: str | None = None) -> str:
        """Say why, and to an admin what was noted."""
        why = "" if reason is None else f": {reason}"
        return f"{why} (note: {note})" if note is not None and self.for_admin else why


def answer(why: Why, words: Words) -> str:
    """Return one sentence or a few: what happened, when, caused by what or whom, what it means, what can be done."""
    if why.about == "entry" and why.entry is not None:
        return " ".join(_of_entry(why.entry, why.partner, words))
    if why.about == "streak" and why.event is not None:
        return f"{describe_event(why.event, why.day, words)}."
    if why.day is None:
        return "Nothing was lost: no streak ended or shrank, and no points were taken."
    return " ".join(_of_day(day=why.day, words=words, is_of_end=why.event is not None))


def _of_day(day: DayStory, words: Words, *, is_of_end: bool) -> Iterator[str]:
    """Answer about a day, or about the streak that ended on it."""
    ended = next((event for event in day.life if event.kind == "ended" and event.day == day.day), None)
    means = f"{dated(day.day)} {_means(day, words)}."
    if ended is None:
        yield means
    elif is_of_end or day.mark in {"missed", "not_watched"}:
        end = f"The streak of {counted(ended.before, 'weekday')} ended on {dated(day.day)}"
        yield f"{end}: {_cause_of_end(day, ended, words)}."
    else:
        yield means
        settled = f"When it was settled, on {words.at(ended.at)}, that was not known"
        yield f"{settled}, and a streak of {ended.before:,} ended."
    for event in day.life:
        if event.kind == "changed" and event.day == day.day:
            yield f"{describe_event(event, day, words)}."
    if day.mark in {"missed", "not_watched"} and words.for_admin:
        yield _remedy(day)


def _means(day: DayStory, words: Words) -> str:
    """Say what a day means."""
    if day.of.is_active:
        what = "counts" if day.mark == "active" else "is on a weekend, and adds nothing"
        return f"{what}: {'; '.join(_active(day, words))}"
    if day.mark in {"missed", "not_watched"}:
        return f"{'was missed' if day.mark == 'missed' else _extent(day)}: {_nothing(day, words)}"
    if day.mark == "excused":
        return f"was excused and breaks no streak: {'; '.join(describe_excusal(one, words) for one in _standing(day))}"
    if day.mark == "pending":
        gaps = "".join(f"; {describe_gap(gap, words)}" for gap in day.gaps)
        return f"is not settled yet, so it breaks no streak so far; nothing is known to have been earned on it{gaps}"
    if day.mark == "weekend":
        return "is on a weekend: it breaks no streak and adds nothing"
    return "was before the enrollment, so it counts for nothing"


def _extent(day: DayStory) -> str:
    return "was not watched" if any(gap.covers(day.day) for gap in day.gaps) else "was watched in part only"


def _nothing(day: DayStory, words: Words) -> str:
    """Say why nothing is known to have been earned on a day."""
    gaps = "; ".join(describe_gap(gap, words) for gap in day.gaps) if day.mark == "not_watched" else ""
    seen = "" if gaps and (day.xp_last is None or _extent(day) == "was not watched") else _watched(day)
    return f"{'; '.join(filter(None, (gaps, seen)))}; no award was booked for it"


def _cause_of_end(day: DayStory, ended: StreakEvent, words: Words) -> str:
    """Say why a streak ended on a day; what made it count later is told after it."""
    if day.mark in {"missed", "not_watched"}:
        return f"the day {_extent(day)}, {_nothing(day, words)}" if day.mark == "not_watched" else _nothing(day, words)
    return f"when the day was settled, on {words.at(ended.at)}, nothing was known to have been earned on it"


def _active(day: DayStory, words: Words) -> Iterator[str]:
    by_position = {entry.position: entry for entry in day.entries}
    for one in day.of.evidence:
        if one.opens_at is not None and one.closes_at is not None:
            yield _rise(day, one.opens_at, one.closes_at, words)
        elif one.position in by_position:
            yield _award(by_position[one.position], words)
        else:
            yield f"an award for {one.source} (entry {one.position})"


def _rise(day: DayStory, opens_at: datetime, closes_at: datetime, words: Words) -> str:
    """Say when XP rose; of the first reading after a return it is not known when since the leave it did."""
    left = next((gap for gap in day.gaps if gap.cause == "left" and gap.until == opens_at), None)
    if left is None:
        return f"XP rose between {words.at(opens_at)} and {words.at(closes_at)}"
    since = f"XP had risen by {words.at(closes_at)}, some time since the leave noted on {words.at(left.since)}"
    return f"{since}, and counts from the return on {words.at(opens_at)} on"


def _watched(day: DayStory) -> str:
    """Say what was read on a day on which nothing is known to have risen."""
    read = (
        f"{counted(len(day.runs), 'reading')} that day" if day.runs else "no reading that day, but one before and after"
    )
    if day.xp_last is None:
        return read
    if day.xp_first in {None, day.xp_last}:
        return f"{read}, XP stayed at {day.xp_last:,}"
    return f"{read}, XP went from {day.xp_first:,} to {day.xp_last:,}, which is no rise above the readings before"


def _standing(day: DayStory) -> Sequence[Excusal]:
    """Return the excusals by which a day is excused."""
    last = {one.member_id: one for one in day.excusals}
    return [one for one in last.values() if one.is_excused]


def _remedy(day: DayStory) -> str:
    left = next((gap for gap in day.gaps if gap.cause == "left"), None)
    if left is not None:
        return (
            "If the leave was a mistake, undo it: `trc-engage members returned MEMBER --never-left --by … --reason …`."
        )
    excuse = f"`trc-engage excuse {day.day} --member MEMBER --reason … --by …`"
    return f"An award that belongs to the day mends it even now; or excuse the member: {excuse}."


CAUSES = {
    "not_linked": "the member was not enrolled yet, or no Discord account was linked",
    "waiting": "a new account was linked, which counts from its first reading on",
    "unlinked": "the Discord account was unlinked",
    "left": "marked as left",
    "forgotten": "the member was forgotten",
    "rebased": "the count of XP was set anew, and what was earned before that is unknown",
    "missed": "the board moved while it was read, so the account was not looked for since",
}


def describe_gap(gap: Gap, words: Words) -> str:
    """Say from when to when nobody watched, and why."""
    until = "" if gap.until is None else f" to {words.at(gap.until)}"
    said = CAUSES[gap.cause]
    if gap.event is not None and gap.cause != "forgotten":
        said = f"{said} {words.by(gap.event.actor)}{words.because(gap.event.reason, gap.event.note)}"
    if gap.entry is not None and gap.entry.actor is not None:
        said = f"{said} {words.by(gap.entry.actor)}{words.because(gap.entry.reason)}"
    return f"from {words.at(gap.since)}{until} {said}"


def describe_excusal(excusal: Excusal, words: Words) -> str:
    """Say how a day was excused, or required again."""
    whom = "for everybody" if excusal.member_id is None else "for this member"
    what = "excused" if excusal.is_excused else "required again"
    because = words.because(excusal.reason, excusal.note)
    return f"{what} {whom} {words.by(excusal.actor)} on {words.at(excusal.at)}{because}"


def describe_event(event: StreakEvent, day: DayStory | None, words: Words) -> str:
    """Say what became of a streak."""
    if event.kind == "grew":
        since = f"from {dated(event.first_day)} " if event.first_day not in {None, event.day} else ""
        return f"the streak grew {since}to {counted(event.after, 'weekday')} on {dated(event.day)}"
    if event.kind == "ended":
        return f"the streak of {counted(event.before, 'weekday')} ended on {dated(event.day)}"
    change = event.change
    longest = ""
    if change is not None and change.longest_before != change.longest_after:
        longest = f", the longest from {change.longest_before:,} to {change.longest_after:,}"
    moved = "stayed at" if event.before == event.after else f"went from {event.before:,} to"
    return f"On {words.at(event.at)} {_cause(event, day, words)}: the streak {moved} {event.after:,}{longest}"


def _cause(event: StreakEvent, day: DayStory | None, words: Words) -> str:
    """Say what news changed a streak."""
    change = event.change
    about = dated(event.day)
    entry = next((one for one in day.entries if change and one.position == change.entry), None) if day else None
    if change is None or change.cause == "repair":
        return "the doctor rebuilt the streak"
    if change.cause == "award":
        return f"an award was booked late: {_award(entry, words)}" if entry else f"an award for {about} was booked late"
    if change.cause == "reversal" and entry is not None:
        back = f"taken back {words.by(entry.actor)}{words.because(entry.reason)} ({points(entry.points)})"
        return f"an award for {entry.source} of {about} was {back}"
    if change.cause in {"excused", "required"}:
        posted = [one for one in day.excusals if one.at == event.at] if day else []
        return (
            "; ".join(f"{about} was {describe_excusal(one, words)}" for one in posted) or f"{about} was {change.cause}"
        )
    if change.cause == "window":
        return f"a reading reached back to {about}, to which the account had not been looked at before"
    if change.cause == "never_left":
        return f"a leave was undone as a mistake, so {about} counts"
    return f"an award of {about} was taken back"


def _award(entry: Entry, words: Words) -> str:
    """Say what was awarded, when it happened, and when it was booked by whom."""
    booked = (
        ""
        if entry.booked_at is None or entry.booked_at - entry.at < timedelta(hours=1)
        else (f", booked on {words.at(entry.booked_at)}")
    )
    who = "" if entry.actor is None else f" {words.by(entry.actor)}"
    bonus = "" if entry.counts_as_activity else "; a bonus, which is no activity"
    key = f", key {entry.key}" if words.for_admin else ""
    what = f"{points(entry.points)} for {entry.source} (entry {entry.position}{key})"
    return f"{what}, which happened on {words.at(entry.at)}{booked}{who}{bonus}"


def _of_entry(entry: Entry, partner: Entry | None, words: Words) -> Iterator[str]:
    """Answer about an entry."""
    done = f"{words.by(entry.actor)} on {words.at(entry.at)}{words.because(entry.reason)}"
    if entry.xp is not None:
        yield from _of_xp(entry, entry.xp, words)
    elif entry.kind == "award":
        yield f"{_award(entry, words)}."
        if partner is not None:
            undone = f"{words.by(partner.actor)} on {words.at(partner.at)}{words.because(partner.reason)}"
            yield f"It was taken back {undone} (entry {partner.position})."
    elif entry.kind == "reversal" and partner is not None:
        yield f"{points(entry.points)}: an award was taken back {done}."
        yield f"It was {_award(partner, words)}."
    else:
        yield f"{points(entry.points)} by hand, {done}."


def _of_xp(entry: Entry, xp: XpChange, words: Words) -> Iterator[str]:
    """Answer about an entry of Discord, with its arithmetic."""
    at, before = words.at(entry.at), xp.xp_before or 0
    decided = "" if entry.actor is None else f" It was decided {words.by(entry.actor)}{words.because(entry.reason)}."
    if entry.kind == "opening":
        yield f"Counting began on {at} at {xp.xp_after:,} XP; what was earned on Discord before that pays no points."
        return
    if entry.kind == "rebase":
        anew = f"On {at} the count of XP was set anew from {before:,} to {xp.xp_after:,} XP"
        yield f"{anew}: all points and the {xp.carried_after} carried XP stay.{decided}"
        return
    change = xp.xp_after - before
    if entry.kind == "deduction":
        if entry.actor is not None:
            yield f"The loss was accepted {words.by(entry.actor)} on {at}{words.because(entry.reason)}."
        less = f"it was {xp.xp_after:,}, {-change:,} less than the {before:,} before"
        yield f"XP was taken away on Discord, not here: at the reading of {at} {less}."
    else:
        yield f"On {at} XP had risen from {before:,} to {xp.xp_after:,}, by {change:,}."
    yield f"{arithmetic(entry.points, change, xp)} ({CARRIED})."


def arithmetic(amount: int, change: int, xp: XpChange) -> str:
    """Reckon an entry's points so that a child can follow.

    >>> arithmetic(-5, -466, XpChange(1, 2_225, 1_759, 11, 11))
    '466 XP less the 14 carried are 452: 5 points are taken, and 48 XP are carried'
    """
    carried, kept = xp.carried_before or 0, xp.carried_after
    total = carried + change
    if change >= 0:
        pays = f"{counted(amount, 'point')}, and {kept} XP are carried"
        return f"{change:,} XP and the {carried} carried are {total:,}: {pays}"
    if total >= 0:
        return f"{-change:,} XP are less than the {carried} carried: no point is taken, and {kept} XP are carried"
    taken = f"{counted(-amount, 'point')} {'is' if amount == -1 else 'are'} taken"
    return f"{-change:,} XP less the {carried} carried are {-total:,}: {taken}, and {kept} XP are carried"


def proof(day: DayStory, words: Words) -> Iterator[str]:
    """Yield what the answer about a day rests on, a line each."""
    yield f"good syncs that day: {len(day.runs):,}{_missed(day.runs)}"
    if day.longest_gap is not None:
        since, until = day.longest_gap
        yield f"longest time without one: {lasted(until - since)}, from {words.at(since)} to {words.at(until)}"
    if day.xp_last is not None:
        before = "not read yet" if day.xp_first is None else f"{day.xp_first:,}"
        yield f"XP before the day: {before}; by its end: {day.xp_last:,}"
    yield f"settled: {'not yet' if day.settled_at is None else words.at(day.settled_at)}"
    for one in day.of.evidence:
        if one.opens_at is not None and one.closes_at is not None:
            yield f"window: {_rise(day, one.opens_at, one.closes_at, words)}"
    yield from (f"not watched: {describe_gap(gap, words)}" for gap in day.gaps)
    by_position = {entry.position: entry for entry in day.entries}
    for entry in day.entries:
        told = " ".join(_of_entry(entry, by_position.get(entry.reverses or 0), words))
        yield f"entry {entry.position}: {points(entry.points)}. {told}"
    yield from (f"excusal: {describe_excusal(excusal, words)}" for excusal in day.excusals)
    yield from (f"member: {describe_membership(event, words)}" for event in day.events)
    yield from (f"decision: {describe_decision(run, words)}" for run in day.runs if run.decision is not None)


def describe_decision(run: GoodRun, words: Words) -> str:
    """Say what an admin decided about a sync."""
    decision = run.decision
    if decision is None:
        return "none"
    what = decision.kind.replace("_", " ")
    return f"{what} at {words.at(run.at)}, {words.by(decision.actor)}{words.because(decision.reason)}"


def _missed(runs: Sequence[GoodRun]) -> str:
    moved = sum(1 for run in runs if run.missed)
    return f" ({moved:,} of them could not look for everybody, because the board moved)" if moved else ""


def describe_membership(event: MembershipEvent, words: Words) -> str:
    """Say what was done about a member."""
    kind = event.kind.replace("_", " ")
    return f"{kind} on {words.at(event.at)}, {words.by(event.actor)}{words.because(event.reason, event.note)}"


def changed(change: StreakChange) -> str:
    """Return how a streak changed."""
    current = _step(change.current_before, change.current_after)
    return f"current {current}, longest {_step(change.longest_before, change.longest_after)}"


def _step(before: int, after: int) -> str:
    return f"{before:,} → {after:,}" if before != after else f"{after:,}"

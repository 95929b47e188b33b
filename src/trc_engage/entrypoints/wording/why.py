"""Text that explains a day, an entry or a streak, for admins and for the member."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from shlex import quote

from attrs import evolve

from ...core.days import ONE_DAY, days_counted
from ...core.membership import MENDED_MAX
from ...core.model import Entry, XpChange
from ...core.records import Excusal, confirmed, in_force
from ...core.settlement import ends_at
from ...core.story import DayStory, Gap, GoodRun, StreakEvent, Why, begins_at
from . import (
    Words,
    arithmetic,
    counted,
    dated,
    describe_decision,
    describe_excusal,
    describe_membership,
    lasted,
    points,
)

CARRIED = "100 XP make a point, and carried XP are kept for the next one"
UNCOUNTED = {"missed", "not_watched"}
LATER_SHOWN_MAX = 3
WAITS: dict[str | None, str] = {
    "reading": ". It is over, and no reading has begun since",
    "run": ". A reading has begun since it ended, so it waits for the next run or a day before it, or for an admin "
    "to decide, if nobody's XP rose",
}


def answer(why: Why, words: Words) -> str:
    """Return one sentence or a few: what happened, when, caused by what or whom, what it means, what can be done."""
    words = evolve(words, member=why.standing.name or words.member)
    if why.about == "entry" and why.entry is not None:
        carries = why.entry.kind in {"gain", "deduction"}
        told = [
            *_of_entry(why.entry, why.partner, words, why.decided),
            *([f"{CARRIED}."] if carries else []),
            *_other(why, words),
        ]
        return " ".join(told)
    if why.about == "streak" and why.event is not None:
        changed = f"{describe_event(why.event, why.day, words)}."
        return " ".join([changed, *_later(why, words), _now(why), *_other(why, words)])
    if why.day is None:
        return "Nothing has been lost since enrollment: no streak ended or shrank, and no points were taken."
    return " ".join(_of_day(why, why.day, words))


def _of_day(why: Why, day: DayStory, words: Words) -> Iterator[str]:
    """Answer about a day, or about the streak that ended on it: first what holds, then what led to it."""
    ended = next((event for event in day.life if event.kind == "ended" and event.day == day.day), None)
    is_of_end = ended is not None and (why.event is not None or day.mark in UNCOUNTED)
    if day.mark in UNCOUNTED:
        yield from _uncounted(day, ended, words)
    elif ended is not None and is_of_end:
        end = f"The streak of {counted(ended.before, 'weekday')} ended on {dated(day.day)}: when the day was closed"
        yield f"{end} (settled) at {words.at(ended.at)}, neither a rise of XP nor an award was known for it."
    else:
        yield f"{dated(day.day)} {_means(day, words)}."
    told = sorted(_news(day, None if is_of_end else ended, words, is_of_end=is_of_end), key=itemgetter(0))
    yield from (f"{text}." for _, text in told)
    yield from _later(why, words)
    if told or ended is not None:
        yield _now(why)
    yield from _other(why, words)
    if day.mark in UNCOUNTED and words.for_admin and not why.standing.is_forgotten:
        yield from _remedies(day, quote(why.standing.member_id))
        if ended is not None:
            yield "The streak goes on only if each weekday after it counts, too."


def _later(why: Why, words: Words) -> Iterator[str]:
    """Say how late news made the streak longer since, without the news of the day itself."""
    later = [one for one in why.later if why.day is None or one.day != why.day.day]
    yield from (f"{describe_event(one, None, words)}." for one in later[-LATER_SHOWN_MAX:])


def _other(why: Why, words: Words) -> Iterator[str]:
    """Say what else was lost within a week."""
    if isinstance(why.other, Entry):
        taken = f"entry {why.other.position} took {counted(-why.other.points, 'point')}"
        yield f"Also, {taken} at {words.at(why.other.at)}."
    elif why.other is not None:
        text = describe_event(why.other, None, words)
        yield f"Also, {text[0].lower()}{text[1:]}."


def _now(why: Why) -> str:
    streak = why.standing.streak
    return "" if streak is None else f"The streak is now {counted(streak.current, 'weekday')}."


def _news(day: DayStory, ended: StreakEvent | None, words: Words, *, is_of_end: bool) -> Iterator[tuple[datetime, str]]:
    """Yield what became known of a day and its streak, each with its instant; what was said before is told shortly."""
    if ended is not None:
        closed = f"At {words.at(ended.at)}, when the day was closed (settled), this was not known"
        yield ended.at, f"{closed}, so the streak of {counted(ended.before, 'weekday')} ended"
    changes = [event for event in day.life if event.kind == "changed" and event.day == day.day]
    standing = [] if is_of_end or day.mark != "excused" else [one.at for one in in_force(day.excusals)]
    said = set() if is_of_end else {one.position for one in day.of.evidence} - {None}
    for event in changes:
        is_said = event.at in standing or (event.change is not None and event.change.entry in said)
        yield event.at, describe_event(event, None if is_said else day, words)
    for one in confirmed(day.excusals):
        who, because = words.who(one.actor), words.because(one.reason, one.note)
        yield one.at, f"{who} confirmed at {words.at(one.at)} that the day was really that quiet{because}"
    if changes:
        silent = sorted({*standing} - {event.at for event in changes})
        yield from ((at, f"At {words.at(at)}, the day was excused, which changed no streak") for at in silent)


def _means(day: DayStory, words: Words) -> str:
    """Say what a day means."""
    if day.of.is_active:
        what = "counts" if day.mark == "active" else "is on a weekend, and adds nothing"
        doubt = ". The account was not read in between, so each of these days counts as active"
        return f"{what}: {', and '.join(_active(day, words))}{doubt if _is_doubtful(day) else ''}"
    if day.mark == "excused":
        how = " and".join(describe_excusal(one, words).removeprefix("excused") for one in in_force(day.excusals))
        return f"was excused{how}, so it breaks no streak"
    if day.mark == "pending":
        gaps = f", and it {_unwatched(day, words)}" if day.gaps else ""
        closes = words.at(ends_at(day.day) + timedelta(minutes=5))
        first = f"No rise of XP and no award is known for it yet. It is settled at the first run from {closes} on"
        settled = f"{first}, once a reading has begun after its end and the days before it are settled"
        status = ". If it is still open then, `trc-engage status` says why" if words.for_admin else ""
        waits = WAITS.get(day.waits_for, "")
        return f"is not settled yet (still open), so it breaks no streak so far{gaps}{waits}. {settled}{status}"
    if day.mark == "weekend":
        return "is on a weekend, so it breaks no streak and adds nothing"
    return "was before enrollment, and XP does not count for it"


def _uncounted(day: DayStory, ended: StreakEvent | None, words: Words) -> Iterator[str]:
    """Say why a day does not count, and that the streak ended on it if it did."""
    subject = "" if ended is None else f"The streak of {counted(ended.before, 'weekday')} ended on "
    subject += dated(day.day)
    if day.mark == "missed":
        yield f"{subject}{'' if ended else ' was missed'}: {_seen(day, words)}, and no award was booked for it."
        return
    unwatched = _unwatched(day, words)
    yield f"{subject}{', which' if ended else ''} {unwatched}."
    is_seen = day.xp_last is not None and not unwatched.startswith("was not watched:")
    yield f"{f'As far as it was watched, {_xp(day, words)}, and no' if is_seen else 'No'} award was booked for it."


def _unwatched(day: DayStory, words: Words) -> str:
    """Describe when on a day the member was not watched, unless it was all day, and why."""
    first, end = begins_at(day.day), ends_at(day.day)
    parts: list[tuple[datetime, datetime]] = []
    for gap in day.gaps:
        since, until = max(gap.since, first), min(gap.until or end, end)
        if parts and since <= parts[-1][1]:
            parts[-1] = (parts[-1][0], max(until, parts[-1][1]))
        elif since < until:
            parts.append((since, until))
    begins = ["" if since == first else f" from {words.at(since, day.day)}" for since, _ in parts]
    ends = [f" until {words.at(until, day.day)}" if until < end else " on" for _, until in parts]
    when = "" if parts == [(first, end)] else " and".join(map("".join, zip(begins, ends, strict=True)))
    return f"was not watched{when}: {', and '.join(describe_gap(gap, day, words) for gap in day.gaps)}"


def _active(day: DayStory, words: Words) -> Iterator[str]:
    by_position = {entry.position: entry for entry in day.entries}
    for one in day.of.evidence:
        if one.opens_at is not None and one.closes_at is not None:
            yield _rise(day, one.opens_at, one.closes_at, words)
        else:
            entry = by_position.get(one.position or 0)
            award = f"an award for {_a(one.source)}" if entry is None else _award(entry, words)
            yield f"entry {one.position} has {award}"


def _is_doubtful(day: DayStory) -> bool:
    """Tell whether a rise counts for a day by the benefit of the doubt, because its window holds others too (R12)."""
    windows = [(one.opens_at, one.closes_at) for one in day.of.evidence]
    return any(len(days_counted(a, b)) > 1 for a, b in windows if a is not None and b is not None)


def _rise(day: DayStory, opens_at: datetime, closes_at: datetime, words: Words) -> str:
    """Say when XP rose; of the first reading after a return it is not known when since the leave it did."""
    left = next((gap for gap in day.gaps if gap.cause == "left" and gap.until == opens_at), None)
    if left is None:
        when = "between" if len(days_counted(opens_at, closes_at)) == 1 else "at some time between"
        return f"XP rose {when} {words.at(opens_at)} and {words.at(closes_at)}"
    since = f"XP had risen by {words.at(closes_at)}, some time since the leave noted at {words.at(left.since)}"
    return f"{since}, which counts from the return at {words.at(opens_at)} on"


def _seen(day: DayStory, words: Words) -> str:
    """Say what was read on a day that was watched wholly and on which nothing rose."""
    if day.runs:
        some = f"there {'was' if len(day.runs) == 1 else 'were'} {counted(len(day.runs), 'reading')} that day"
        return some if day.xp_last is None else f"{some}, {_xp(day, words)}"
    none, before = "there was no reading that day, but one before and one after", day.xp_last
    if before is None:
        return none
    if day.xp_next is None:
        return f"{none}, the one before showed {before:,} XP, and the one after no rise above the readings before"
    if day.xp_next == before:
        return f"{none}, XP stayed at {before:,}"
    no_rise = ", which is no rise above the readings before" if day.xp_next > before else ""
    return f"{none}, XP was at {before:,} at the one before and at {day.xp_next:,} at the one after{no_rise}"


def _xp(day: DayStory, words: Words) -> str:
    """Say how XP moved on a day on which no rise counts."""
    first, last, reset = day.xp_first, day.xp_last or 0, day.reset
    if reset is not None:
        since, is_lower = _began(reset), reset.xp is not None and reset.xp.xp_after != last
        return f"{since}, and the last reading showed {last:,}" if is_lower else since
    if first is None:
        return f"the last reading showed {last:,} XP"
    if first == last:
        is_back = any(one.kind == "deduction" and one.at.date() == day.day for one in day.entries)
        return f"XP moved, and was back at {last:,} by its end" if is_back else f"XP stayed at {last:,}"
    went = f"XP went from {first:,} to {last:,}"
    if day.midnight is not None and last > first:
        by = f"by the reading at {words.at(day.midnight, day.day)}"
        return f"{went} {by}, which counts for {dated(day.day - ONE_DAY)}"
    return f"{went}, which is no rise above the readings before"


def _began(reset: Entry) -> str:
    xp = 0 if reset.xp is None else reset.xp.xp_after
    return f"{'counting began' if reset.kind == 'opening' else 'XP counting started over'} at {xp:,} XP"


def _remedies(day: DayStory, member: str) -> Iterator[str]:
    """Say what an admin can do about a day that does not count."""
    if left := next((gap for gap in day.gaps if gap.cause == "left"), None):
        undo = f"`trc-engage members returned {member} --never-left --by YOU --reason WHY`"
        yield f"If the leave was a mistake, undo it with {undo}."
        if left.until is not None and left.until - left.since > MENDED_MAX:
            yield f"The days are then excused, because the leave lasted for more than {MENDED_MAX.days} days."
        else:
            unless = "" if left.until else f", or are excused if the leave lasted for more than {MENDED_MAX.days} days"
            yield f"The days then count if XP rose{unless}."
        return
    award = f"trc-engage award {member} --source SOURCE --points N --key KEY --at {day.day}T12:00Z"
    yield f"If an award of that day is missing, book it with `{award}`, and the day counts."
    yield f"Or excuse the day with `trc-engage excuse {day.day} --member {member} --by YOU --reason WHY`."


DEEDS = {
    "left": ("had marked {} as left", "{} was marked as left"),
    "missed": ("had marked {} as left", "{} was marked as left"),
    "unlinked": ("had unlinked {}'s Discord account", "{}'s Discord account was unlinked"),
}
"""What an actor had done, and what was done if no actor is on record."""


def describe_gap(gap: Gap, day: DayStory, words: Words) -> str:
    """Describe from when to when the member was not watched, and why."""
    span = f"from {words.at(gap.since)} {'on' if gap.until is None else f'to {words.at(gap.until)}'}"
    event = gap.event
    if event is not None and gap.cause in DEEDS:
        active, passive = (text.format(words.member) for text in DEEDS[gap.cause])
        because = words.because(event.reason, event.note)
        did = f"{passive} {words.by(None)}" if event.actor is None else f"{words.who(event.actor)} {active}"
        if gap.cause == "missed":
            undone = f"which was undone, and no reading since {words.at(gap.since)} has looked for the account"
            return f"{did}{because}, {undone}"
        return f"{did}{because} {span}"
    if event is not None and gap.cause == "waiting":
        what = "a new account was linked" if event.kind == "linked" else "the return was noted"
        first = "which is still to come" if gap.until is None else f"which was at {words.at(gap.until)}"
        done = words.done(event.actor, event.at, event.reason, event.note)
        return f"{what} {done}, and XP counts from its first reading on, {first}"
    if gap.cause == "rebased" and gap.entry is not None:
        return _rebased(gap.since, gap.entry, day, words)
    if gap.cause == "missed":
        return f"the leaderboard moved while it was read, so the account could not be looked for {span}"
    if gap.cause == "forgotten":
        return f"the member was forgotten at {words.at(gap.since)}"
    return f"{words.member} was not enrolled yet, or no Discord account was linked, {span}"


def _rebased(since: datetime, entry: Entry, day: DayStory, words: Words) -> str:
    """Describe what is unknown because the XP count started over."""
    decision = next((run.decision for run in day.runs if run.at == entry.at), None)
    if decision is not None and decision.kind == "adopt_board":
        moved = f"{words.who(entry.actor)} moved to another board at {words.at(entry.at)}{words.because(entry.reason)}"
        return f"{moved}, and XP earned before that on the new one is unknown"
    done = f"at {words.at(entry.at)}" if entry.actor is None else words.done(entry.actor, entry.at, entry.reason)
    return f"XP counting started over {done}, and XP earned since the reading of {words.at(since)} is unknown"


def describe_event(event: StreakEvent, day: DayStory | None, words: Words) -> str:
    """Say what became of a streak."""
    if event.kind == "grew":
        is_of_one = event.first_day is None or event.first_day == event.day
        when = "on" if is_of_one else f"between {dated(event.first_day or event.day)} and"
        return f"the streak grew to {counted(event.after, 'weekday')} {when} {dated(event.day)}"
    if event.kind == "ended":
        return f"the streak of {counted(event.before, 'weekday')} ended on {dated(event.day)}"
    moved, longest = _moved(event.before, event.after), ""
    if event.change is not None and event.change.longest_before != event.change.longest_after:
        longest = _moved(event.change.longest_before, event.change.longest_after)
        longest = f", and the longest streak {longest.removeprefix(moved.partition(' ')[0]).strip()}"
    return f"At {words.at(event.at)}, {_cause(event, day, words)}, so the streak {moved}{longest}"


def _moved(before: int, after: int) -> str:
    rose = f"{'fell' if after < before else 'rose'} from {before:,} to {after:,}"
    return f"stayed at {after:,}" if before == after else rose


def _cause(event: StreakEvent, day: DayStory | None, words: Words) -> str:
    """Say what news changed a streak; shortly without the day."""
    change, about = event.change, dated(event.day)
    entry = next((one for one in day.entries if change and one.position == change.entry), None) if day else None
    if change is None or change.cause == "repair":
        return "the doctor rebuilt the streak"
    if change.cause == "award":
        told = "" if entry is None else f" (entry {entry.position}, {points(entry.points)} for {_a(entry.source)})"
        return f"an award for {about} was booked late{told}"
    if change.cause == "reversal" and entry is not None:
        back = f"took back an award for {_a(entry.source)} of {about}, {points(entry.points)}"
        return f"{words.who(entry.actor)} {back}{words.because(entry.reason)}"
    if change.cause in {"excused", "required"}:
        posted = [one for one in day.excusals if one.at == event.at] if day else []
        short = f"{about} was excused" if change.cause == "excused" else f"the excusal of {about} was withdrawn"
        return ", and ".join(_decided(one, words) for one in posted) or short
    if change.cause == "window":
        return f"a reading showed that XP may have risen on {about}"
    if change.cause == "never_left":
        return f"a leave that covered {about} was undone as a mistake"
    return f"an award of {about} was taken back"


def _decided(excusal: Excusal, words: Words) -> str:
    """Say who excused a day or withdrew that, as a sentence."""
    day, because = dated(excusal.day), words.because(excusal.reason, excusal.note)
    whom = "for everybody" if excusal.member_id is None else "for this member"
    did = f"excused {day} {whom}" if excusal.is_excused else f"withdrew the excusal of {day} {whom}"
    return f"{words.who(excusal.actor)} {did}{because}"


def _a(source: str) -> str:
    return f"{'an' if source[:1].lower() in 'aeiou' else 'a'} {source}"


def _award(entry: Entry, words: Words) -> str:
    """Say what was awarded, when it happened, and when it was booked by whom."""
    key = f", key {entry.key}" if words.for_admin else ""
    is_late = entry.booked_at is not None and entry.booked_at - entry.at >= timedelta(hours=1)
    booked = f", booked on {words.at(entry.booked_at)}" if is_late and entry.booked_at else ""
    who = "" if entry.actor is None else f"{'' if booked else ', booked'} {words.by(entry.actor)}"
    bonus = "" if entry.counts_as_activity else ", a bonus, which does not count as activity"
    return f"{points(entry.points)} for {_a(entry.source)} of {words.at(entry.at)}{key}{booked}{who}{bonus}"


def _of_entry(entry: Entry, partner: Entry | None, words: Words, decided: GoodRun | None = None) -> Iterator[str]:
    done = words.done(entry.actor, entry.at, entry.reason)
    if entry.xp is not None:
        yield from _of_xp(entry, entry.xp, words, decided)
    elif entry.kind == "award":
        yield f"{_award(entry, words)}."
        if partner is not None:
            yield f"Entry {partner.position} took it back, {words.done(partner.actor, partner.at, partner.reason)}."
    elif entry.kind == "reversal":
        yield f"{points(entry.points)}, because entry {entry.reverses} was taken back {done}."
        if partner is not None:
            yield f"Entry {partner.position} had {_award(partner, words)}."
    else:
        yield f"{points(entry.points)} by hand, {done}."


def _of_xp(entry: Entry, xp: XpChange, words: Words, decided: GoodRun | None) -> Iterator[str]:
    """Answer about an entry of Discord, with its arithmetic."""
    at, before = words.at(entry.at), xp.xp_before or 0
    if entry.kind == "opening":
        yield f"Counting began at {at} with {xp.xp_after:,} XP. What was earned on Discord before that pays no points."
        return
    if entry.kind == "rebase":
        yield f"At {at} XP counting started over at {xp.xp_after:,} XP{_why_over(entry, xp, words, decided)}."
        yield f"All points stay, and so do the {xp.carried_after} carried XP."
        return
    change, reading = xp.xp_after - before, f"at the reading of {at}"
    if entry.kind == "deduction":
        if entry.actor is not None:
            yield f"The loss was accepted {words.done(entry.actor, entry.at, entry.reason)}."
            reading = "at that reading"
        fell = f"it fell from {before:,} to {xp.xp_after:,}, by {-change:,}"
        yield f"XP was taken away on Discord, not here: {reading} {fell}."
        yield "This system does not see who took it."
    else:
        yield f"At {at} XP had risen from {before:,} to {xp.xp_after:,}, by {change:,}."
    yield f"{arithmetic(entry.points, change, xp)}."


def _why_over(entry: Entry, xp: XpChange, words: Words, decided: GoodRun | None) -> str:
    """Say why XP counting started over."""
    if entry.actor is not None:
        return f", {words.by(entry.actor)}{words.because(entry.reason)}"
    if decided is not None and decided.decision is not None:
        first = "" if decided.at == entry.at else ", and this is the first reading of the account since"
        return f", because {describe_decision(decided.decision, decided.at, words)}{first}"
    if not xp.xp_before:
        return ", which earlier readings had missed"
    return ", less than before the leave" if xp.xp_after < xp.xp_before else ""


def proof(day: DayStory, words: Words) -> Iterator[str]:
    """Yield what the answer about a day rests on, a line each."""
    yield f"readings of the leaderboard that day: {len(day.runs):,}{_missed(day.runs)}"
    if day.longest_gap is not None:
        since, until = day.longest_gap
        yield f"longest time without a reading: {lasted(until - since)}, from {words.at(since)} to {words.at(until)}"
    if day.xp_last is not None:
        first = "XP last read before it: " + ("none yet" if day.xp_first is None else f"{day.xp_first:,}")
        start = f"{first}, at its end" if day.reset is None else "XP at its end"
        is_stale = bool(day.gaps) or _is_doubtful(day) or not day.runs
        stale = " (the last readings known at these times, XP may have changed since)" if is_stale else ""
        yield f"{start}: {day.xp_last:,}{stale}"
    yield f"day closed (settled): {'not yet' if day.settled_at is None else words.at(day.settled_at)}"
    for one in day.of.evidence:
        if one.opens_at is not None and one.closes_at is not None:
            yield f"window: {_rise(day, one.opens_at, one.closes_at, words)}"
    yield from (f"not watched: {describe_gap(gap, day, words)}" for gap in day.gaps)
    for entry in day.entries:
        told = " ".join(_of_entry(entry, None, words, day.decided.get(entry.position)))
        yield f"entry {entry.position}: {told if entry.xp is None else f'{points(entry.points)}. {told}'}"
    if any(entry.kind in {"gain", "deduction"} for entry in day.entries):
        yield f"carried: {CARRIED}"
    quiet = confirmed(day.excusals)
    yield from (f"excusal: {describe_excusal(one, words, is_quiet=one in quiet)}" for one in day.excusals)
    yield from (f"member: {describe_membership(event, words)}" for event in day.events)
    yield from (f"decision: {describe_decision(run.decision, run.at, words)}" for run in day.runs if run.decision)


def _missed(runs: Sequence[GoodRun]) -> str:
    moved = sum(1 for run in runs if run.missed)
    return f" ({moved:,} of them could not look for everybody, because the leaderboard moved)" if moved else ""

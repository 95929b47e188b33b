"""What people do: members come and go, the web app awards, MEE6's admins give and take, ours decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from trc_engage import Engage
from trc_engage.core.errors import KeyReused, LinkTaken, NotLinked, Reversed

from .oracle import SLACK, WEEKEND, Account, Award, Drops
from .process import Fate, Killed, Process
from .verdict import Breach, check

if TYPE_CHECKING:
    from .life import Life

SOURCES = ("benchmark", "download", "course")
STEPS = (
    "read done",
    "request",
    "pause",
    "begin",
    "commit",
    "commit",
    "commit",
    "post",
    "post done",
    "send",
    "send done",
)
"""Where it hurts most."""
STEPS_OF_A_READ = ("read", "request", "answer", "read done", "calendar", "calendar done")
"""Where others are in the way."""
STEPS_MAX = 70
"""About how many steps a run takes."""


class Deeds:
    """Everything that is done to the system, and told to the oracle."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._random = life.random
        self._keys = 0
        self._nested = False
        self._meddling: list[tuple[Callable[[Process], object], float]] = [
            (self._award, 6),
            (self._award_late, 2),
            (self._award_again, 1),
            (self._reverse, 1.5),
            (self._adjust, 1),
            (self._leave, 2),
            (self._rejoin, 3),
            (self._unlink, 1),
            (self._link, 2),
            (self._enroll, 2),
            (self._link_taken, 0.3),
        ]
        self._all = [
            *self._meddling,
            (lambda _: self._give(), 1.5),
            (lambda _: self._remove(), 1),
            (lambda _: self._reset_member(), 0.4),
            (self._excuse, 0.7),
            (self._unexcuse, 0.5),
            (lambda _: self._season_ends(), 0.12),
            (lambda _: self._many_fall(), 0.12),
            (self._sync_by_hand, 1.0),
            (self._dry_run, 0.3),
        ]

    def begin(self) -> None:
        """Enrol the first of them; not all have linked an account."""
        process = self._life.processes[0]
        for number in range(len(self._life.members) - 10):
            self._enroll_one(process, self._life.members[number], self._life.ids[number] if number % 10 else None)

    def some(self, process: Process) -> None:
        """Do a few things, or none."""
        life = self._life
        if abs(life.clock.error) > SLACK:
            return
        while self._random.random() < 0.2:
            self._one_of(self._all, process)
        self._decide(process)

    def _one_of(self, deeds: list[tuple[Callable[[Process], object], float]], process: Process) -> None:
        (deed,) = self._random.choices([one for one, _ in deeds], [weight for _, weight in deeds])
        self._life.clock.sleep(1)
        deed(process)

    def fate(self, process: Process) -> Fate:
        """Return what befalls a process, if anything, and at which step."""
        weather = self._life.weather
        if weather.strikes("kills"):
            return self._aimed(process.kill, STEPS)
        if weather.strikes("suspend"):
            return self._aimed(lambda: self._suspend(process), STEPS_OF_A_READ)
        if weather.strikes("meddling"):
            return self._aimed(lambda: self._meddle(process), STEPS_OF_A_READ)
        if weather.strikes("pair"):
            return self._aimed(lambda: self._run_the_other(process), STEPS_OF_A_READ)
        return ()

    def _aimed(self, fate: Callable[[], None], steps: tuple[str, ...]) -> Fate:
        """Aim at where it hurts, or anywhere."""
        if self._random.random() < 0.6:
            return fate, self._random.randint(1, 3), self._random.choice(steps)
        return fate, self._random.randint(1, STEPS_MAX)

    def _other(self, process: Process) -> Process:
        a, b = self._life.processes
        return b if process is a else a

    def _suspend(self, process: Process) -> None:
        """Let the machine sleep; another may take over meanwhile if this one was reading."""
        life = self._life
        life.clock.sleep(self._random.choice([20, 200, 301, 400, 1_000, 4_000, 30_000]))
        life.world.until(life.clock.at)
        life.note(process.name, "was suspended at", process.befell)
        is_reading = process.reads and process.reads[-1].board is None and process.reads[-1].error is None
        if is_reading and not life.audit.is_claimed(life.clock()) and self._random.random() < 0.7:
            life.run_due(self._other(process))

    def _run_the_other(self, process: Process) -> None:
        """Let two be at it at the same time: the second must stand back."""
        life, other = self._life, self._other(process)
        if life.audit.is_claimed(life.clock()):
            other.begin()
            report = other.engage.run_due()
            life.note(other.name, "runs within", process.befell, report.outcome)
            check(report.outcome == "busy", f"two at work at a time ({process.befell}): {report.outcome}")
            check(not other.reads, "two read at a time")

    def _meddle(self, process: Process) -> None:
        """Let others post while this one is at work."""
        self._life.take_in(process, None, plain=False)
        self._nested = True
        try:
            for _ in range(self._random.randint(1, 3)):
                self._one_of(self._meddling, self._other(process))
        finally:
            self._nested = False

    # Through the web app

    def _do(self, process: Process, call: Callable[[Engage], Any], *, changes: bool = True) -> Any:
        """Do something; killed, it is done again. Return the instant at which it was really done."""
        fate: Fate = ()
        if not self._nested and self._life.weather.strikes("kills"):
            fate = process.kill, self._random.randint(1, 16)
        process.begin(*fate)
        try:
            result, again = call(process.engage), False
        except Killed:
            self._life.died(process)
            again = True
        began = process.told_at
        if again:
            process.begin()
            result = call(process.engage)
        changed = result.outcome != "unchanged"
        check(again or changed == changes, f"{result}, but a change was expected: {changes}")
        self._life.note(process.name, result.outcome, getattr(result, "member_id", ""))
        return began

    def _award(self, process: Process, ago: timedelta = timedelta(0)) -> None:
        life, random = self._life, self._random
        member = random.choice(sorted(life.oracle.enrolled))
        source, points, key = random.choice(SOURCES), random.randint(1, 60), f"run:{self._keys}"
        self._keys += 1
        at = life.clock() - ago + timedelta(seconds=random.choice([0, 0, 0, 60, 119]) if not ago else 0)
        began = self._do(process, lambda engage: engage.award(member, source=source, points=points, key=key, at=at))
        life.oracle.awards[key] = Award(member, source, points, min(at, began).date())

    def _award_late(self, process: Process) -> None:
        self._award(process, timedelta(hours=self._random.randint(1, 21 * 24)))

    def _award_again(self, process: Process) -> None:
        """Use a key again: for the same it does nothing, for another matter it is refused (R8)."""
        if not self._life.oracle.awards:
            return
        key = self._random.choice(list(self._life.oracle.awards))
        award, at = self._life.oracle.awards[key], self._life.clock()
        points = award.points + self._random.choice([0, 0, 1])
        try:
            self._do(
                process,
                lambda engage: engage.award(award.member, source=award.source, points=points, key=key, at=at),
                changes=False,
            )
        except (KeyReused, Reversed) as error:
            check(award.is_reversed or points != award.points, f"refused for nothing: {error}")
        else:
            check(not award.is_reversed and points == award.points, "a key was used twice", key)

    def _reverse(self, process: Process) -> None:
        if not self._life.oracle.awards:
            return
        key = self._random.choice(list(self._life.oracle.awards))
        award = self._life.oracle.awards[key]
        self._do(
            process, lambda engage: engage.reverse(key, reason="withdrawn", by="admin"), changes=not award.is_reversed
        )
        award.is_reversed = True

    def _adjust(self, process: Process) -> None:
        member, points = self._random.choice(sorted(self._life.oracle.enrolled)), self._random.choice([-30, -1, 2, 40])
        key = f"fix:{self._keys}"
        self._keys += 1
        self._do(process, lambda engage: engage.adjust(member, points=points, key=key, reason="typo", by="admin"))
        self._life.oracle.adjustments[key] = member, points

    # Members

    def _linked(self, *, left: bool) -> Account | None:
        found = [one for one in self._life.oracle.accounts if not one.is_closed and one.has_left == left]
        return self._random.choice(found) if len(found) > (0 if left else 8) else None

    def _leave(self, process: Process) -> None:
        account = self._linked(left=False)
        if account is not None:
            member = account.member
            self._do(process, lambda engage: engage.leave(member))
            account.has_left = True
            self._life.world.here.discard(account.discord_id)

    def _rejoin(self, process: Process) -> None:
        account = self._linked(left=True)
        if account is not None:
            member = account.member
            if self._random.random() < 0.3:
                self._life.world.give(account.discord_id, -self._random.randint(1, 3_000))
            if self._random.random() < 0.1:
                self._life.world.reset(account.discord_id)
            began = self._do(process, lambda engage: engage.rejoin(member))
            self._life.oracle.rejoin(account, began)
            self._life.world.here.add(account.discord_id)

    def _unlink(self, process: Process) -> None:
        account = self._linked(left=self._random.random() < 0.3)
        if account is not None:
            member = account.member
            self._do(process, lambda engage: engage.unlink(member))
            account.is_closed = True

    def _link(self, process: Process) -> None:
        """Link somebody to any id that is free: a new one, the old one, or another member's of before."""
        oracle = self._life.oracle
        members = [one for one in sorted(oracle.enrolled) if oracle.account_of(one) is None]
        free = [one for one in self._life.ids if oracle.holder_of(one) is None]
        if members and free:
            member, discord_id = self._random.choice(members), self._random.choice(free)
            began = self._do(process, lambda engage: engage.link(member, discord_id))
            oracle.link(member, discord_id, began)
            self._life.world.here.add(discord_id)

    def _enroll(self, process: Process) -> None:
        """Enrol somebody new, or once more with what holds already (R7)."""
        oracle = self._life.oracle
        member = self._random.choice(self._life.members)
        if member not in oracle.enrolled:
            free = [one for one in self._life.ids if oracle.holder_of(one) is None]
            self._enroll_one(process, member, self._random.choice([None, *free]))
        else:
            account = oracle.account_of(member)
            discord_id = account.discord_id if account else None
            self._do(process, lambda engage: engage.enroll(member, discord_id=discord_id, name="A"), changes=False)

    def _enroll_one(self, process: Process, member: str, discord_id: str | None) -> None:
        began = self._do(process, lambda engage: engage.enroll(member, discord_id=discord_id, name="A"))
        self._life.oracle.enroll(member, began)
        if discord_id is not None:
            self._life.oracle.link(member, discord_id, began)

    def _link_taken(self, process: Process) -> None:
        """Ask for a second link of either side, which is refused, and let one leave who has none."""
        oracle, account = self._life.oracle, self._linked(left=False)
        other = self._random.choice(sorted(oracle.enrolled))
        if account is None or account.member == other:
            return
        process.begin()
        discord_id = account.discord_id
        _refused(LinkTaken, lambda: process.engage.link(other, discord_id))
        if oracle.account_of(other) is None:
            _refused(NotLinked, lambda: process.engage.leave(other))

    # On MEE6's side

    def _give(self) -> None:
        self._life.world.give(self._random.choice(self._life.ids), self._random.choice([1, 50, 199, 1_600, 9_000]))

    def _remove(self) -> None:
        self._life.world.give(self._random.choice(self._life.ids), -self._random.choice([1, 50, 101, 1_600, 9_000]))

    def _reset_member(self) -> None:
        self._life.world.reset(self._random.choice(self._life.ids))

    def _season_ends(self) -> None:
        self._life.note("the season ends")
        self._life.world.reset_all()
        self._life.season = "rebase"

    def _many_fall(self) -> None:
        self._life.note("many fall")
        for one in self._life.ids:
            if self._random.random() < 0.5:
                self._life.world.give(one, -self._random.randint(1, 2_000))
        self._life.season = "deduct"

    # Admins

    def _decide(self, process: Process) -> None:
        """React to what the pager showed."""
        life, random = self._life, self._random
        due = life.oracle.next_day(life.clock())
        if due is not None and due[1] == "decision" and random.random() < 0.1:
            if random.random() < 0.5:
                self._set_excused(process, due[0])
            else:
                life.settle(process, due[0])
        is_real = not (life.weather.has("half") or life.weather.has("stale") or life.weather.has("frozen"))
        if "distrusted" in life.failures.kinds and random.random() < (0.15 if is_real else 0.01):
            drops: Drops = life.season or "deduct"
            life.sync(process, drops=drops if random.random() < 0.9 else "rebase")

    def _sync_by_hand(self, process: Process) -> None:
        self._life.sync(process, fresh=self._random.random() < 0.5)

    def _dry_run(self, process: Process) -> None:
        self._life.sync(process, dry_run=True)

    def _day_nearby(self) -> date | None:
        day = self._life.clock().date() + timedelta(days=self._random.randint(-9, 4))
        return None if f"{day:%a}" in WEEKEND else day

    def _excuse(self, process: Process) -> None:
        day = self._day_nearby()
        if day is not None and day not in self._life.oracle.excused:
            self._set_excused(process, day)

    def _set_excused(self, process: Process, day: date) -> None:
        self._do(process, lambda engage: engage.excuse(day, reason="a holiday"))
        self._life.oracle.excused.add(day)

    def _unexcuse(self, process: Process) -> None:
        if self._life.oracle.excused:
            day = self._random.choice(sorted(self._life.oracle.excused))
            self._do(process, lambda engage: engage.unexcuse(day))
            self._life.oracle.excused.discard(day)


def _refused(error: type[Exception], call: Callable[[], object]) -> None:
    """Check that something is refused."""
    try:
        call()
    except error:
        return
    raise Breach(f"not refused as {error.__name__}")

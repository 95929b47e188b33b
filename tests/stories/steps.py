"""What can happen in a story of streaks; each step takes its time first, and concerns Ada unless it names another."""

from datetime import date

from support.community import IDS
from trc_engage import Engage, SourceError

from .language import ONE_DAY, Story, instant, step, weekday


@step
def until(_: Story) -> None:
    """Let time pass."""


@step
def enroll(story: Story, name: str, xp: int | None = None) -> None:
    """Enroll and link a member; the board shows this XP or no row. The next sync opens the account."""
    story.community.enroll(name)
    if xp is not None:
        story.community.xp[name] = xp


@step
def enroll_unlinked(story: Story, name: str) -> None:
    """Enroll a member without a Discord account."""
    story.engage.enroll(name)


@step
def chats(story: Story, name: str = "ada", xp: int = 20) -> None:
    """Write on Discord; the next sync sees it."""
    story.community.chat(name, xp)


@step
def five_chat(story: Story) -> None:
    """Let five members write."""
    for name in ("ada", "bo", "cy", "dee", "eli"):
        story.community.chat(name)


@step
def board(story: Story, /, **xp: int | None) -> None:
    """Set what the board shows; None removes a row."""
    told = {**story.community.xp, **xp}
    story.community.xp = {name: value for name, value in told.items() if value is not None}


@step
def missing(story: Story, *names: str) -> None:
    """Let the board shift during every read from now on, so that it misses these members; without names it is still."""
    story.community.missed = set(names)


@step
def mee6_down(story: Story) -> None:
    """Let every read fail from now on."""
    story.community.trouble = SourceError("down", "no answer")


@step
def mee6_back(story: Story) -> None:
    """Let MEE6 answer again."""
    story.community.trouble = None


@step
def daemon_off(story: Story) -> None:
    """Stop the daemon: from now on nothing is synced or settled unless the story does it."""
    story.daemon_runs = False


@step
def daemon_on(story: Story) -> None:
    """Start the daemon again."""
    story.daemon_runs = True


@step
def sync(story: Story) -> None:
    """Sync by hand."""
    story.sync()


@step
def season_reset(story: Story) -> None:
    """Sync by hand, while an admin states that a season was reset."""
    story.engage.sync(rebase_drops=True)


@step
def settle(story: Story, accept_quiet: str | None = None) -> None:
    """Settle by hand, optionally while an admin states that a day of this week was quiet."""
    story.settle(story.engage, None if accept_quiet is None else weekday(story.community.now, accept_quiet))


@step
def confirm_clock(story: Story) -> None:
    """Let an admin confirm that the clock is right, though nothing ran for so long."""
    story.engage.confirm_clock(by="admin", reason="nothing ran for so long")


@step
def worker_settles(story: Story) -> None:
    """Settle in a web worker that has no source."""
    story.settle(Engage(ledger=story.community.ledger, clock=lambda: story.community.now))


@step
def award(story: Story, name: str = "ada", key: str | None = None, happened: str | None = None) -> None:
    """Award a benchmark that was run just now, or when it is said to have happened."""
    at = None if happened is None else instant(story.community.now, happened)
    story.community.award(name, key or f"{name}, {story.community.now}", at=at)


@step
def award_each_day(story: Story, first_day: str, last_day: str) -> None:
    """Award a benchmark for each day of a span."""
    day = date.fromisoformat(first_day)
    while day <= date.fromisoformat(last_day):
        story.community.award("ada", f"{day}", at=instant(story.community.now, f"{day} 12:00"))
        day += ONE_DAY


@step
def reverse(story: Story, key: str) -> None:
    """Reverse an award."""
    story.engage.reverse(key, reason="withdrawn", by="admin-7")


@step
def adjust(story: Story, points: int) -> None:
    """Adjust points by hand."""
    story.engage.adjust("ada", points=points, key=f"{story.community.now}", reason="typo", by="admin-7")


@step
def excuse(story: Story, *days: str) -> None:
    """Excuse days, of this week or by date."""
    for day in days:
        story.engage.excuse(weekday(story.community.now, day), reason="a holiday", by="admin")


@step
def unexcuse(story: Story, day: str) -> None:
    """Require an excused day again."""
    story.engage.unexcuse(weekday(story.community.now, day), by="admin")


@step
def excuse_alone(story: Story, *days: str, name: str = "ada") -> None:
    """Excuse days for one member."""
    these = [weekday(story.community.now, day) for day in days]
    story.engage.excuse(*these, reason="ill", by="admin", member_id=name)


@step
def unexcuse_alone(story: Story, *days: str, name: str = "ada") -> None:
    """Require a member's excused days again."""
    these = [weekday(story.community.now, day) for day in days]
    story.engage.unexcuse(*these, by="admin", member_id=name)


@step
def leave(story: Story, name: str = "ada") -> None:
    """Leave Discord."""
    story.engage.leave(name)


@step
def rejoin(story: Story, name: str = "ada") -> None:
    """Come back to Discord."""
    story.engage.rejoin(name)


@step
def unlink(story: Story, name: str = "ada") -> None:
    """Unlink the account."""
    story.engage.unlink(name)


@step
def link(story: Story, name: str = "ada", of: str = "ada") -> None:
    """Link a member to the Discord id that belongs to a name."""
    story.engage.link(name, IDS[of])


@step
def never_left(story: Story, name: str = "ada") -> None:
    """Undo a leave that was a mistake."""
    story.engage.rejoin(name, never_left=True, by="admin-7", reason="marked by mistake")


@step
def adopt(story: Story, /, **xp: int) -> None:
    """Adopt another board, which shows this XP."""
    story.community.board_id = "mee6:222"
    story.community.xp = xp
    story.engage.sync(adopt_board=True, by="admin-7", reason="we moved")

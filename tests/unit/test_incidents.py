"""Which notices are due, and when: pure, as tables and as a law (R10, R15a, R20, R22)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, strategies as st
from syrupy.assertion import SnapshotAssertion

from trc_engage.core.boards import why_another_board
from trc_engage.core.errors import AlertFailed, ClockLeapt, ClockWentBack, SourceTrouble
from trc_engage.core.incidents import (
    FAILURES_MIN,
    NAMES,
    REMIND_AFTER,
    ChannelState,
    Describe,
    FailureRun,
    Message,
    Notice,
    SentNotice,
    Trouble,
    after_failure,
    clock_trouble,
    describe,
    failed_again,
    failure_trouble,
    frozen_trouble,
    notices_due,
    state_of,
    unseen_trouble,
)
from trc_engage.core.settlement import Pending
from trc_engage.entrypoints.wording.alerts import describe_notice

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
KINDS = list(NAMES)


def failure_run(
    count: int, kind: SourceTrouble = "down", message: str = "MEE6 is in trouble", **more: Any
) -> FailureRun:
    """Return a run of this many failures of one kind."""
    row = None
    for _ in range(count):
        row = failed_again(row, MONDAY, kind, message)
    assert row is not None
    return evolve(row, **more)


def lasting(count: int = 3, since: datetime = MONDAY) -> Trouble:
    """Return the trouble of a failure run that needs an admin."""
    trouble = failure_trouble(failure_run(count, since=since), ())
    assert trouble is not None
    return trouble


def told(kind: str, at: datetime, since: datetime = MONDAY) -> SentNotice:
    """Return the last notice that a channel was sent."""
    return SentNotice("webhook", "source", kind, since, at)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_the_third_failure_in_a_row_is_a_trouble(kind: SourceTrouble) -> None:
    """The third failure in a row is a trouble; one that no later sync can end by itself is a trouble at once."""
    is_told_at = [failure_trouble(failure_run(count, kind), ()) is not None for count in (1, 2, 3)]
    assert is_told_at == ([True] * 3 if kind in {"distrusted", "another_board", "clock"} else [False, False, True])


def test_no_failure_is_no_trouble() -> None:
    """Without failures and without waiting days there is no trouble."""
    assert failure_trouble(None, ()) is None
    assert frozen_trouble(()) is None


def test_what_needs_a_decision_stays_a_trouble_under_later_failures() -> None:
    """A board that was distrusted stays the trouble if later reads fail for another reason."""
    distrusted = failed_again(None, MONDAY, "distrusted", "the board would lower 6 of 6 members")
    trouble = failure_trouble(failed_again(distrusted, MONDAY + QUARTER, "down", "MEE6 is in trouble"), ())
    assert trouble is not None
    assert ("6 of 6 members" in trouble.why, "not trusted" in trouble.title) == (True, True)


def test_what_needs_a_decision_is_told_although_an_outage_was() -> None:
    """A failure that needs a decision is a new incident and is alerted at once, even during an outage."""
    outage = failure_run(3)
    distrusted = failed_again(outage, MONDAY + QUARTER, "distrusted", "the board would lower 6 of 6 members")
    trouble = failure_trouble(distrusted, ())
    assert trouble is not None
    (notice,) = notices_due([trouble], [told("alert", MONDAY)], MONDAY + QUARTER)
    assert (notice.kind, notice.since) == ("alert", MONDAY + QUARTER)


@pytest.mark.parametrize(
    ("cause", "is_trouble"), [(("frozen",), True), (("no_sync",), False), (("earlier",), False), ((), False)]
)
def test_only_a_frozen_day_is_a_trouble_of_its_own(cause: Sequence[str], is_trouble: bool) -> None:
    """Only a frozen day is a trouble of its own; one that waits for a sync or for an earlier day is not."""
    pending = [Pending(date(2026, 3, 2), one) for one in cause]  # type: ignore[arg-type]
    assert (frozen_trouble(pending) is not None) == is_trouble


@pytest.mark.parametrize(
    ("last", "after", "expected"),
    [
        (None, QUARTER, ["alert"]),
        (told("alert", MONDAY), REMIND_AFTER - timedelta(seconds=1), []),
        (told("alert", MONDAY), REMIND_AFTER, ["reminder"]),
        (told("reminder", MONDAY), QUARTER, []),
        (told("reminder", MONDAY), REMIND_AFTER, ["reminder"]),
        (told("all_clear", MONDAY), QUARTER, ["alert"]),
        (told("alert", MONDAY, since=MONDAY - REMIND_AFTER), QUARTER, ["alert"]),
        (told("alert", MONDAY + timedelta(days=9)), QUARTER, ["reminder"]),
    ],
    ids=["new", "told", "a-day", "reminded", "another-day", "again", "other-incident", "told-in-the-future"],
)
def test_while_a_trouble_lasts(last: SentNotice | None, after: timedelta, expected: list[str]) -> None:
    """A trouble causes one alert, and a reminder 24 hours after the last notice; another incident is another alert."""
    notices = notices_due([lasting()], [last] if last else [], MONDAY + after)
    assert [notice.kind for notice in notices] == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [(None, []), ("alert", ["all_clear"]), ("reminder", ["all_clear"]), ("all_clear", [])],
)
def test_when_a_trouble_is_over(last: str | None, expected: list[str]) -> None:
    """The end of a trouble causes one all-clear, if an alert or a reminder was sent."""
    notices = notices_due([], [told(last, MONDAY)] if last else [], MONDAY + QUARTER)
    assert [notice.kind for notice in notices] == expected


def test_topics_do_not_know_each_other() -> None:
    """Topics are independent: a frozen day is alerted and cleared while the source goes on failing."""
    frozen = frozen_trouble([Pending(date(2026, 3, 2), "frozen")])
    assert frozen is not None
    alerts = notices_due([lasting(), frozen], [told("alert", MONDAY)], MONDAY + QUARTER)
    assert [(one.kind, one.topic) for one in alerts] == [("alert", "frozen")]
    heard = [told("alert", MONDAY), SentNotice("webhook", "frozen", "alert", frozen.since, MONDAY)]
    clears = notices_due([lasting()], heard, MONDAY + QUARTER)
    assert [(one.kind, one.topic) for one in clears] == [("all_clear", "frozen")]


@pytest.mark.parametrize("kind", KINDS)
def test_an_alert_names_since_when_why_what_waits_and_what_helps(kind: SourceTrouble) -> None:
    """An alert says since when, why and what waits; the daemon's adds the commands that help, an app's names none."""
    trouble = failure_trouble(failure_run(3, kind, "MEE6 broke off"), [Pending(date(2026, 2, 27), "no_sync")])
    assert trouble is not None
    (alert,) = notices_due([evolve(trouble, source_name="MEE6")], [], MONDAY)
    for message in (Message(alert.title, alert.text), describe_notice(alert)):
        assert message.title.startswith("MEE6's board could not be synced, 3 times in a row")
        assert NAMES[kind] in message.title
        assert "Mon 2026-03-02 09:00 UTC" in message.title
        assert "Why: MEE6 broke off" in message.text
        assert "the streaks of Fri 2026-02-27 wait" in message.text
    assert "`" not in alert.text
    assert "See `trc-engage status`" in describe_notice(alert).text
    assert all(words in describe_notice(alert).text for words in HELPS.get(kind, ()))


HELPS: dict[SourceTrouble, tuple[str, ...]] = {
    "private": ("TRC_ENGAGE_MEE6_TOKEN", "restart it after a change", "`trc-engage sync` shows at once"),
    "unknown_guild": ("TRC_ENGAGE_GUILD_ID", "restart it after a change", "`trc-engage sync` shows at once"),
    "rate_limited": ("Syncing resumes by itself", "`trc-engage status` shows until when"),
    "blocked": ("Syncing resumes by itself", "`trc-engage status` shows until when"),
    "malformed": ("`trc-engage sync` shows whether it still does", "TRC_ENGAGE_MEE6_URL"),
    "down": ("whether this machine reaches other sites", "MEE6 is down: just wait", "TRC_ENGAGE_MEE6_URL"),
    "distrusted": ("`trc-engage sync --accept-drops`", "`trc-engage sync --rebase-drops`"),
    "another_board": ("TRC_ENGAGE_GUILD_ID", "TRC_ENGAGE_MEE6_URL", "`trc-engage sync --adopt-board --dry-run`"),
    "clock": ("`date -u`", "`timedatectl set-ntp true`"),
}


def test_an_alert_about_another_board_offers_what_helps_there() -> None:
    """An alert about another board names both boards, the way back and the adoption, but no decision on drops (R24)."""
    message = why_another_board("mee6:1", "mee6:2")
    assert message is not None
    trouble = failure_trouble(failure_run(1, "another_board", message))
    assert trouble is not None
    (alert,) = notices_due([evolve(trouble, source_name="MEE6")], [], MONDAY)
    told = describe_notice(alert)
    assert told.title.endswith(": the source reads another board")
    for words in ("mee6:1", "mee6:2", "TRC_ENGAGE_GUILD_ID", "TRC_ENGAGE_MEE6_URL", "sync --adopt-board --dry-run"):
        assert words in told.text
    assert "If the source is set back, no XP is lost" in told.text
    for words in ("--accept-drops", "--rebase-drops", "pays all of it"):
        assert words not in told.text


@pytest.mark.parametrize("door", [describe, describe_notice], ids=["app", "daemon"])
def test_what_an_admin_reads(snapshot: SnapshotAssertion, door: Describe) -> None:
    """Each kind of notice reads as in the snapshot, from an app and from the daemon."""
    pending = [Pending(date(2026, 3, 2) + timedelta(days=days), "no_sync") for days in range(3)]
    frozen = frozen_trouble([Pending(date(2026, 3, 3), "frozen")])
    outage = failure_trouble(failure_run(300, message="MEE6 is in trouble (status 502)"), pending)
    clock = clock_trouble(ClockWentBack(MONDAY, MONDAY + timedelta(hours=2)))
    bug = Trouble("store", MONDAY, error=KeyError("ada"), count=3)
    assert outage is not None
    assert frozen is not None
    outage, clock = evolve(outage, source_name="MEE6"), evolve(clock, source_name="MEE6")
    later = MONDAY + timedelta(hours=75, minutes=7)
    heard = [SentNotice("webhook", one.topic, "alert", one.since, MONDAY) for one in (outage, frozen, clock)]
    notices = [
        *notices_due([outage, frozen, clock, bug], [], MONDAY),
        *notices_due([outage], heard[:1], later),
        *notices_due([], heard, later, "MEE6"),
    ]
    assert snapshot == "\n\n".join(f"[{one.kind}] {door(one).title}\n{door(one).text}" for one in notices)


RUNS = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 200)), max_size=60)


@given(RUNS)
def test_the_law_of_notices(runs: list[tuple[bool, bool, int]]) -> None:
    """No failures of source or channel cause a second alert, an early reminder or an unfounded all-clear (R20)."""
    now, count, since = MONDAY, 0, MONDAY
    last: SentNotice | None = None
    heard: list[tuple[datetime, Notice]] = []
    for is_good, is_up, quarters in runs:
        now += quarters * QUARTER
        since = since if count else now
        count = 0 if is_good else count + 1
        troubles = [lasting(count, since)] if count >= FAILURES_MIN else []
        due = notices_due(troubles, [last] if last else [], now)
        assert len(due) <= 1
        if is_up and due:
            heard.append((now, due[0]))
            last = SentNotice("webhook", "source", due[0].kind, due[0].since, now)
        told_of = last is not None and last.kind != "all_clear"
        assert not is_up or told_of == bool(troubles)
    check_order(heard)


def check_order(heard: Sequence[tuple[datetime, Notice]]) -> None:
    """Check one channel's notices against R20."""
    assert not heard or heard[0][1].kind == "alert"
    for (before_at, before), (at, notice) in pairwise(heard):
        match before.kind, notice.kind:
            case "all_clear", kind:
                assert kind == "alert"
            case _, "alert":
                assert notice.since != before.since
            case _, "reminder":
                assert notice.since == before.since
                assert at - before_at >= REMIND_AFTER
            case _:
                assert notice.since == before.since


def test_an_all_clear_that_may_not_have_been_sent_is_sent_again() -> None:
    """An all-clear that may not have been sent is due again, even if an earlier one was surely sent."""
    begun = evolve(told("all_clear", MONDAY, MONDAY - QUARTER), is_sure=False)
    (notice,) = notices_due([], [told("all_clear", MONDAY - 2 * QUARTER), begun], MONDAY + QUARTER)
    assert (notice.kind, notice.since) == ("all_clear", MONDAY - QUARTER)


def test_an_alert_that_may_not_have_been_sent_is_sent_again() -> None:
    """An alert is due again if it, or an earlier incident's all-clear, may not have been sent; reminders are not."""
    begun = evolve(told("alert", MONDAY), is_sure=False)
    assert [one.kind for one in notices_due([lasting()], [begun], MONDAY + QUARTER)] == ["alert"]
    ended = evolve(told("all_clear", MONDAY), is_sure=False)
    known = told("alert", MONDAY - QUARTER)
    assert [one.kind for one in notices_due([lasting()], [known, ended], MONDAY + QUARTER)] == ["alert"]
    reminded = evolve(told("reminder", MONDAY), is_sure=False)
    assert notices_due([lasting()], [known, reminded], MONDAY + QUARTER) == []


WENT_BACK = clock_trouble(ClockWentBack(MONDAY, MONDAY + timedelta(hours=2)))
LEAPT = clock_trouble(ClockLeapt(MONDAY + timedelta(days=9), MONDAY, "no server has confirmed it"))
SINCE = "Mon 2026-03-02 09:00 UTC"
UNSEEN = unseen_trouble(MONDAY, MONDAY + timedelta(hours=24))
ROSTER_DOWN = failure_trouble(failure_run(3, message="5 answers were unclear."), topic="roster")
PRIVATE = failure_trouble(failure_run(3, "private", "the leaderboard is private"))
DISTRUSTED = failure_trouble(failure_run(1, "distrusted", "the board would lower 6 of 6 members"))
KEPT = "No XP is lost: the source keeps counting"
LASTED = "It has lasted: see whether this machine reaches other sites. If it does, The source is down: just wait"
SAFE = "streaks are safe: a day is settled only after a good sync that started after it ended"


@pytest.mark.parametrize(
    ("trouble", "title", "meaning"),
    [
        (
            WENT_BACK,
            "The clock went back: nothing is synced or settled",
            f"{KEPT}. Until time has caught up nobody gets points for Discord and no streak breaks",
        ),
        (
            LEAPT,
            "The clock leapt ahead: nothing is synced or settled",
            f"{KEPT}. Until the clock is confirmed nobody gets points for Discord and no streak breaks",
        ),
        (
            UNSEEN,
            "No linked account has ever been on the source's board",
            "Nobody gets points for Discord, and what is earned until it is corrected does not count",
        ),
        (
            ROSTER_DOWN,
            "The roster failed, 3 times in a row since Mon 2026-03-02 09:00 UTC: no clear answers",
            "Nobody is noted as left or as returned meanwhile. Points and streaks go on",
        ),
        (
            DISTRUSTED,
            "The source's board could not be synced, once since Mon 2026-03-02 09:00 UTC: a board that is not trusted",
            f"No points change until the board recovers or an admin decides. The source keeps counting; {SAFE}",
        ),
        (
            PRIVATE,
            f"The source's board could not be synced, 3 times in a row since {SINCE}: the leaderboard is private",
            f"{KEPT}, and the next good sync pays all of it. Until then nobody gets points for Discord; {SAFE}",
        ),
    ],
)
def test_each_trouble_says_what_it_is_and_what_it_means(trouble: Trouble, title: str, meaning: str) -> None:
    """Each trouble has a title and a meaning of one line each, which also say what goes on."""
    assert (trouble.title, trouble.meaning) == (title, meaning)


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (ROSTER_DOWN, "5 answers were unclear"),
        (PRIVATE, "the leaderboard is private"),
        (
            lasting(),
            f"MEE6 is in trouble. {LASTED}",
        ),
    ],
)
def test_a_reason_is_the_errors_and_what_helps_once_it_lasts(trouble: Trouble, why: str) -> None:
    """A reason is the error's message without its full stop, and advice is added once an outage has lasted."""
    assert trouble.why == why


def test_two_days_that_wait_are_named_from_the_first_to_the_last() -> None:
    """Waiting days are named from the first to the last, with their number."""
    pending = [Pending(date(2026, 3, day), "no_sync") for day in (2, 3)]
    trouble = failure_trouble(failure_run(3), pending)
    assert trouble is not None
    assert "the streaks of Mon 2026-03-02 to Tue 2026-03-03 (2 days) wait" in trouble.meaning


def test_what_ended_under_a_clock_that_was_set_back_lasted_no_time() -> None:
    """An all-clear under a clock that was set back says that the incident lasted no time, and never less."""
    (clear,) = notices_due([], [told("alert", MONDAY)], MONDAY - QUARTER)
    assert clear.text.startswith("It began Mon 2026-03-02 09:00 UTC and lasted 0 h 00 min")


DEAD = ChannelState("webhook", "f", dead_since=MONDAY, why="deleted")
RESTING = ChannelState("webhook", "", not_before=MONDAY + QUARTER, why="slow down")


@pytest.mark.parametrize(
    ("states", "found"),
    [
        ([], None),
        ([DEAD], DEAD),
        ([RESTING], RESTING),
        ([RESTING, DEAD], RESTING),
        ([evolve(DEAD, fingerprint="another address")], None),
        ([evolve(DEAD, channel="sentry")], None),
        ([evolve(RESTING, channel="sentry")], None),
        ([evolve(RESTING, not_before=MONDAY)], None),
        ([evolve(RESTING, not_before=MONDAY), DEAD], DEAD),
    ],
)
def test_which_channel_nothing_is_sent_to(states: list[ChannelState], found: ChannelState | None) -> None:
    """A channel is shut while its address is dead, or while its address or its name has been asked to wait."""
    assert state_of(states, "webhook", "f", MONDAY) == found


@pytest.mark.parametrize(
    ("fingerprint", "error", "kept"),
    [
        ("f", AlertFailed("deleted", is_gone=True), ChannelState("webhook", "f", MONDAY, None, "deleted")),
        ("", AlertFailed("deleted", is_gone=True), None),
        ("f", AlertFailed("no"), None),
        ("f", AlertFailed("slow", retry_after=QUARTER), ChannelState("webhook", "f", None, MONDAY + QUARTER, "slow")),
        (
            "f",
            AlertFailed("slow", retry_after=timedelta(0), is_for_all=True),
            ChannelState("webhook", "", None, MONDAY + timedelta(seconds=1), "slow"),
        ),
        (
            "f",
            AlertFailed("slow", retry_after=timedelta(days=9)),
            ChannelState("webhook", "f", None, MONDAY + timedelta(days=1), "slow"),
        ),
    ],
)
def test_what_is_remembered_of_a_channel_that_failed(
    fingerprint: str, error: AlertFailed, kept: ChannelState | None
) -> None:
    """A dead address is kept only with a fingerprint, and a requested wait is kept as one from a second to a day."""
    assert after_failure("webhook", fingerprint, error, MONDAY) == kept


def test_a_roster_that_is_not_trusted_means_what_a_roster_means() -> None:
    """A roster that is not trusted does not speak of points that a board would take."""
    trouble = failure_trouble(failure_run(3, "distrusted", "too many would have left"), topic="roster")
    assert trouble is not None
    assert trouble.meaning == "Nobody is noted as left or as returned meanwhile. Points and streaks go on"

"""Messages for an embedding app name no vendor, command or variable; an operator's name those that help."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from attrs import evolve

from trc_engage.core.errors import (
    ClockWentBack,
    EngageError,
    KeyReused,
    LinkTaken,
    NotLinked,
    Reversed,
    SourceError,
    SourceMissing,
    UnknownAward,
    UnknownMember,
)
from trc_engage.core.incidents import NAMES, ChannelState, Trouble, failed_again
from trc_engage.core.model import Entry
from trc_engage.core.settlement import Cause, Pending
from trc_engage.entrypoints.wording import explained
from trc_engage.entrypoints.wording.alerts import advice_of, describe_error, describe_pending, why_of
from trc_engage.usecases.runs import Need, NeedKind

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DOORS_OWN = re.compile(r"`|trc-engage|TRC_ENGAGE|MEE6|--\w|discord\.com")

ERRORS: list[tuple[EngageError, str]] = [
    (UnknownMember("m-1"), "check the id (`trc-engage members list`)"),
    (NotLinked("m-1"), "link one first (`trc-engage members link MEMBER DISCORD_ID`)"),
    (LinkTaken("m-1", "80351110224678912"), "unlink that member first (`trc-engage members unlink m-1`)"),
    (UnknownAward("key:1"), "look for it with `trc-engage history MEMBER`"),
    (ClockWentBack(MONDAY, MONDAY + timedelta(hours=1)), "`date -u`"),
    (KeyReused("key:1", "5 points", "6 points"), "use another key"),
    (Reversed("key:1"), "give a new key"),
    (SourceMissing(), "build it with one"),
    (SourceError("down", "it cannot be reached", argument="base_url"), "TRC_ENGAGE_MEE6_URL"),
    (SourceError("private", "it is private", argument="token"), "TRC_ENGAGE_MEE6_TOKEN"),
    (SourceError("unknown_guild", "no such guild"), "TRC_ENGAGE_GUILD_ID"),
    (SourceError("distrusted", "it fell", argument="accept_drops"), "`trc-engage sync --accept-drops`"),
    (SourceError("another_board", "another one", argument="adopt_board"), "`trc-engage sync --adopt-board --dry-run`"),
    (SourceError("clock", "clocks differ"), "`timedatectl set-ntp true`"),
]


@pytest.mark.parametrize(("error", "helps"), ERRORS, ids=[type(error).__name__ for error, _ in ERRORS])
def test_an_error_says_what_helps_where_it_is_read(error: EngageError, helps: str) -> None:
    """An app's message makes sense without commands; an operator's has the same fact and the command or variable."""
    assert not DOORS_OWN.search(str(error))
    assert describe_error(error).startswith(error.fact)
    assert helps in describe_error(error)


def test_a_sync_that_failed_for_a_reason_of_its_own_needs_no_remedy() -> None:
    """The error about a board that cannot be adopted does not offer to accept drops."""
    assert describe_error(SourceError("distrusted", "the board cannot be adopted")) == "the board cannot be adopted"


@pytest.mark.parametrize("kind", [kind for kind in NAMES if kind != "another_board"])
def test_a_trouble_of_any_source_bears_its_name_and_no_other(kind: str) -> None:
    """A trouble has the name of its source, or says `the source`, and the core's words never name MEE6."""
    failures = failed_again(None, MONDAY, kind, "it failed")  # type: ignore[arg-type]
    named = Trouble("source", MONDAY, failure_run=failures, source_name="Lurkr")
    unnamed = Trouble("source", MONDAY, failure_run=failures)
    assert named.title.startswith("Lurkr's board could not be synced, once since")
    assert unnamed.title.startswith("The source's board")
    assert "Lurkr keeps counting" in named.meaning
    for text in (named.title, named.why, named.meaning, unnamed.title, unnamed.why, unnamed.meaning):
        assert not DOORS_OWN.search(text)
    assert why_of(named).startswith(named.why)


@pytest.mark.parametrize("cause", ["no_sync", "frozen", "due", "earlier"])
def test_a_day_that_waits_says_for_what(cause: Cause) -> None:
    """A waiting day names no command in an app; an operator reads one if a sync or a decision is missing."""
    pending = Pending(date(2026, 3, 3), cause)
    assert not DOORS_OWN.search(pending.why)
    assert describe_pending(pending).startswith(pending.fact)
    assert ("`trc-engage" in describe_pending(pending)) == (cause in {"no_sync", "frozen"})


@pytest.mark.parametrize("kind", ["unused", "not_running", "empty"])
def test_a_need_says_what_to_do(kind: NeedKind) -> None:
    """A need names no command in an app, and for an operator those that meet it."""
    need = Need(kind)
    assert not DOORS_OWN.search(f"{need.what} {need.advice}")
    assert "trc-engage" in advice_of(need)


def test_a_channel_that_is_dead_says_why() -> None:
    """A dead channel has the channel's own reason, and an operator reads which variable sets its address."""
    state = ChannelState("webhook", "f", dead_since=MONDAY, why="it is gone")
    need = Need("channel", MONDAY, channel=state)
    assert need.what == "alerts no longer arrive by webhook, since Mon 2026-03-02 09:00 UTC"
    assert need.advice == "it is gone"
    assert advice_of(need) == "it is gone. Its address is set in TRC_ENGAGE_ALERT_WEBHOOK"
    assert advice_of(Need("channel", MONDAY, channel=evolve(state, channel="pager"))) == "it is gone"


@pytest.mark.parametrize(
    ("booked_at", "says"),
    [
        (None, "benchmark, key b:1"),
        (MONDAY + timedelta(seconds=59), "benchmark, key b:1"),
        (MONDAY + timedelta(minutes=1), "benchmark, key b:1, booked 2026-03-02 09:01"),
    ],
    ids=["at once", "within the minute", "a minute later"],
)
def test_an_award_says_when_it_was_booked_if_that_is_another_minute(booked_at: datetime | None, says: str) -> None:
    """An award's booking time is shown only if its minute differs from that of the award."""
    award = Entry(1, "award", "m-1", "benchmark", 5, MONDAY.date(), MONDAY, silent=False, key="b:1")
    assert explained(evolve(award, booked_at=booked_at)) == says

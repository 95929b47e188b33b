"""The health of a store: what needs an admin, in which order, and what only has to wait."""

from datetime import timedelta

import pytest

from support.community import QUARTER, Community
from support.noticeboard import Noticeboard
from trc_engage import AlertFailed, Engage, Notice, SourceError, Status
from trc_engage.core.incidents import ChannelState
from trc_engage.core.posting import Posting
from trc_engage.entrypoints.wording.alerts import advice_of
from trc_engage.usecases.leases import TASK
from trc_engage.usecases.runs import Need

DOWN = SourceError("down", "MEE6 is in trouble (status 503)")


class Refusing(Noticeboard):
    """A channel with a fingerprint, which raises its error if it has one."""

    def __init__(self, channel: str, error: AlertFailed | None = None) -> None:
        super().__init__(channel)
        self.fingerprint = channel
        self.error = error

    def send(self, notice: Notice, /) -> None:
        """Raise the error, or keep the notice."""
        if self.error:
            raise self.error
        super().send(notice)


@pytest.fixture
def community() -> Community:
    return Community()


def run(community: Community, *, slots: int = 1) -> Status:
    """Run what is due in this many slots, one after the other, and return the status."""
    for _ in range(slots):
        community.now += QUARTER
        community.engage.run_due()
    return community.engage.status()


def test_a_store_without_members_asks_for_some(community: Community) -> None:
    """A new store names both needs in the order in which to meet them: enroll members, then start the daemon."""
    (need,) = community.engage.status().needs
    assert need.what == "nobody is enrolled, and nothing has run yet"
    assert advice_of(need).index("members enroll") < advice_of(need).index("daemon")


def test_members_whom_nothing_syncs_are_not_well(community: Community) -> None:
    """A store with members in which nothing has run yet is not healthy."""
    community.enroll("ada")
    status = community.engage.status()
    assert not status.is_healthy
    assert [need.what for need in status.needs] == ["nothing has run yet"]


def test_what_runs_without_members_is_not_well(community: Community) -> None:
    """A store that runs without members is not healthy, because it may be the wrong one (R31)."""
    status = run(community)
    (need,) = status.needs
    assert (status.is_healthy, need.what, status.synced_accounts) == (False, "nobody is enrolled", 0)
    assert "members enroll" in advice_of(need)
    community.enroll("ada")
    assert run(community).is_healthy


def test_healthy_is_what_needs_nobody(community: Community) -> None:
    """A store is healthy after a good sync, until a slot has passed without any run."""
    community.enroll("ada")
    ran_at = run(community).at
    healthy = []
    for minutes in (0, 14, 29, 30, 31):
        community.now = ran_at + timedelta(minutes=minutes)
        status = community.engage.status()
        assert status.is_healthy == (not status.needs)
        healthy.append(status.is_healthy)
    assert healthy == [True, True, True, False, False]
    assert [need.what for need in status.needs] == ["nothing has run since Mon 2026-03-02 09:15 UTC"]


def test_two_failures_need_nobody_and_three_do(community: Community) -> None:
    """A store is unhealthy from the third failure in a row, like the alert, and still healthy after two."""
    community.enroll("ada")
    run(community)
    community.trouble = DOWN
    assert run(community, slots=2).is_healthy
    third = run(community)
    (need,) = third.needs
    assert not third.is_healthy
    assert need == Need("trouble", third.troubles[0].since, third.troubles[0])
    assert (need.what, need.advice) == (third.troubles[0].title, third.troubles[0].why)
    assert "3 times in a row" in need.what


def test_a_start_that_never_worked_is_not_well(community: Community) -> None:
    """If no sync was ever good, the first failure makes a store unhealthy with its cause; alerts wait for the third."""
    community.enroll("ada")
    community.trouble = DOWN
    first = run(community)
    (need,) = first.needs
    assert (first.is_healthy, list(first.troubles)) == (False, [])
    assert need.what == "MEE6's board could not be synced, once since Mon 2026-03-02 09:15 UTC: outage"
    assert "MEE6 is in trouble (status 503)" in advice_of(need)
    third = run(community, slots=2)
    assert [one.trouble for one in third.needs] == list(third.troubles)
    community.trouble = None
    assert run(community).is_healthy


def test_what_does_not_run_comes_before_what_fails(community: Community) -> None:
    """A lack of runs is listed before a failing source, which can only recover by a run."""
    community.enroll("ada")
    community.trouble = DOWN
    run(community, slots=3)
    community.now += timedelta(hours=5)
    assert [need.what.partition(" since")[0] for need in community.engage.status().needs] == [
        "nothing has run",
        "MEE6's board could not be synced, 3 times in a row",
    ]


def test_a_day_that_is_only_due_waits_for_no_other(community: Community) -> None:
    """A day that is only due waits for the next run from 00:05 UTC on, which settles it."""
    community.enroll("ada")
    community.now += timedelta(hours=15)
    community.sync()
    status = community.engage.status()
    (pending,) = status.pending
    assert pending.why == "Mon 2026-03-02 waits for the next run from 00:05 UTC on, which settles it"


def test_days_of_an_outage_wait_for_a_sync(community: Community) -> None:
    """Each day of an outage is shown as waiting for a good sync."""
    community.enroll("ada")
    run(community)
    community.now += timedelta(days=2)
    status = community.engage.status()
    assert ["good sync" in one.why for one in status.pending] == [True, True]


def test_only_accounts_that_a_sync_looks_for_are_counted(community: Community) -> None:
    """Waiting, tracked and absent accounts are counted as synced; those that left or were unlinked are not."""
    community.enroll("ada", "bo", "cy", "dee")
    community.sync(ada=10, bo=10, cy=10)
    community.engage.leave("ada")
    community.engage.unlink("bo")
    assert community.engage.status().synced_accounts == 2
    community.sync(cy=None)
    assert community.engage.status().tally.accounts["absent"] == 1
    assert community.engage.status().synced_accounts == 2


def test_a_channel_that_takes_nothing_any_more_needs_you(community: Community) -> None:
    """A channel with a dead address needs an admin and comes after the trouble; one that asks for a wait does not."""
    gone, slow = Refusing("gone", AlertFailed("deleted", is_gone=True)), Refusing("slow")
    slow.error = AlertFailed("slow down", retry_after=timedelta(hours=1), is_for_all=True)
    ledger, alerts = community.ledger, [gone, slow, Noticeboard("log")]
    community.engage = Engage(ledger=ledger, source=community, clock=lambda: community.now, alerts=alerts)
    community.enroll("ada")
    run(community)
    community.trouble = DOWN
    status = run(community, slots=3)
    trouble, channel = status.needs
    assert (trouble.kind, channel.kind, channel.since, channel.advice) == ("trouble", "channel", status.at, "deleted")
    assert channel.what == "alerts no longer arrive by gone, since Mon 2026-03-02 10:00 UTC"
    assert [one.channel for one in status.shut_channels] == ["gone", "slow"]
    community.now += timedelta(hours=1)
    assert [one.channel for one in community.engage.status().shut_channels] == ["gone"]
    community.now -= timedelta(hours=1)
    assert [(one.channel, one.sent_at, [notice.kind for notice in one.undelivered]) for one in status.last_sent] == [
        ("gone", None, ["alert"]),
        ("slow", None, ["alert"]),
        ("log", status.at, []),
    ]
    slow.error = None
    status = run(community, slots=4)
    assert [one.channel for one in status.shut_channels] == ["gone"]
    assert [(one.sent_at, one.topic, one.undelivered) for one in status.last_sent[1:2]] == [(status.at, "source", ())]
    assert [one.channel for one in ledger.run_state().channels] == ["gone"]
    gone.fingerprint = "another address"
    assert [need.kind for need in community.engage.status().needs] == ["trouble"]


def test_a_channel_without_an_address_is_never_given_up(community: Community) -> None:
    """A channel without a fingerprint is never given up, because a new address could not be told from the old one."""
    channel = Refusing("own", AlertFailed("deleted", is_gone=True))
    del channel.fingerprint
    ledger = community.ledger
    community.engage = Engage(ledger=ledger, source=community, clock=lambda: community.now, alerts=[channel])
    community.enroll("ada")
    run(community)
    community.trouble = DOWN
    status = run(community, slots=3)
    assert (status.shut_channels, [need.kind for need in status.needs]) == ((), ["trouble"])


def test_an_empty_store_comes_before_what_fails_in_it(community: Community) -> None:
    """An empty store is listed before a dead channel, because it may be the wrong store (R31)."""
    run(community)
    dead = ChannelState("webhook", "f", dead_since=community.now, why="deleted")
    community.ledger.post(Posting(community.now, channels=[dead]))
    assert [need.kind for need in community.engage.status().needs] == ["empty", "channel"]


def test_what_fails_for_nobody_needs_nobody(community: Community) -> None:
    """Once the last account is unlinked, earlier failures of the source are no need and no trouble."""
    community.enroll("ada")
    community.trouble = DOWN
    (need,) = run(community).needs
    assert need.trouble is not None
    assert need.trouble.topic == "source"
    run(community, slots=2)
    community.engage.unlink("ada")
    status = community.engage.status()
    assert (status.needs, status.troubles) == ((), [])


def test_whatever_ran_last_tells_that_something_runs(community: Community) -> None:
    """The status shows when a run or a sync by hand last ended, even if it failed."""
    community.enroll("ada")
    run(community)
    community.trouble = DOWN
    failed_at = run(community).at
    assert community.engage.status().ran_at == failed_at
    community.trouble = None
    community.sync(timedelta(minutes=7))
    assert community.engage.status().ran_at == community.now


def test_a_wait_and_a_lease_are_told_until_they_are_over(community: Community) -> None:
    """The status shows a wait and a lease until they end, and no longer."""
    community.enroll("ada")
    community.trouble = SourceError("rate_limited", "slow down", timedelta(minutes=40))
    began = run(community).at
    community.ledger.lease(TASK, began, began + timedelta(minutes=5))
    told = {}
    for minutes in (0, 5, 39, 41):
        community.now = began + timedelta(minutes=minutes)
        status = community.engage.status()
        told[minutes] = status.wait is not None, status.lease is not None
    assert told == {0: (True, True), 5: (True, False), 39: (True, False), 41: (False, False)}

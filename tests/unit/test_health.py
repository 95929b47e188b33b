"""Whether all is well: what needs somebody, in which order, and what is only on its way."""

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
    """A channel with an address, which answers with an error."""

    def __init__(self, channel: str, error: AlertFailed | None = None) -> None:
        super().__init__(channel)
        self.fingerprint = channel
        self.error = error

    def send(self, notice: Notice, /) -> None:
        """Refuse, or keep it."""
        if self.error:
            raise self.error
        super().send(notice)


@pytest.fixture
def community() -> Community:
    return Community()


def run(community: Community, *, slots: int = 1) -> Status:
    """Run what is due, a slot after the other, and tell how the system does."""
    for _ in range(slots):
        community.now += QUARTER
        community.engage.run_due()
    return community.engage.status()


def test_a_store_without_members_asks_for_some(community: Community) -> None:
    """Nothing runs and nobody is there: both are named, in the order in which to do them."""
    (need,) = community.engage.status().needs
    assert need.what == "nobody is enrolled, and nothing has run yet"
    assert advice_of(need).index("members enroll") < advice_of(need).index("daemon")


def test_members_whom_nothing_syncs_are_not_well(community: Community) -> None:
    """Enrolled, and nobody runs it: not healthy from the beginning, for it would be so for ever."""
    community.enroll("ada")
    status = community.engage.status()
    assert not status.is_healthy
    assert [need.what for need in status.needs] == ["nothing has run yet"]


def test_what_runs_without_members_is_not_well(community: Community) -> None:
    """It runs and earns nobody anything: perhaps on the wrong store (R31)."""
    status = run(community)
    (need,) = status.needs
    assert (status.is_healthy, need.what, status.synced_accounts) == (False, "nobody is enrolled", 0)
    assert "members enroll" in advice_of(need)
    community.enroll("ada")
    assert run(community).is_healthy


def test_healthy_is_what_needs_nobody(community: Community) -> None:
    """After a good sync nothing is needed, until one slot has passed without anybody running."""
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
    """The alert and the health agree: from the third failure in a row on."""
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
    """The first failure is told until a sync is good, with its cause; alerts still wait for the third."""
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
    """A source that fails mends itself by the next run, and there is none."""
    community.enroll("ada")
    community.trouble = DOWN
    run(community, slots=3)
    community.now += timedelta(hours=5)
    assert [need.what.partition(" since")[0] for need in community.engage.status().needs] == [
        "nothing has run",
        "MEE6's board could not be synced, 3 times in a row",
    ]


def test_a_day_that_is_only_due_waits_for_no_other(community: Community) -> None:
    """Between midnight's sync and 00:05 the oldest day waits for the run that settles it."""
    community.enroll("ada")
    community.now += timedelta(hours=15)
    community.sync()
    status = community.engage.status()
    (pending,) = status.pending
    assert pending.why == "Mon 2026-03-02 waits for the next run from 00:05 UTC on, which settles it"


def test_days_of_an_outage_wait_for_a_sync(community: Community) -> None:
    """Each is told what it waits for, as a settlement tells it."""
    community.enroll("ada")
    run(community)
    community.now += timedelta(days=2)
    status = community.engage.status()
    assert ["good sync" in one.why for one in status.pending] == [True, True]


def test_only_accounts_that_a_sync_looks_for_are_counted(community: Community) -> None:
    """Waiting, tracked and absent ones; who left or was unlinked is not looked for."""
    community.enroll("ada", "bo", "cy", "dee")
    community.sync(ada=10, bo=10, cy=10)
    community.engage.leave("ada")
    community.engage.unlink("bo")
    assert community.engage.status().synced_accounts == 2
    community.sync(cy=None)
    assert community.engage.status().tally.accounts["absent"] == 1
    assert community.engage.status().synced_accounts == 2


def test_a_channel_that_takes_nothing_any_more_needs_you(community: Community) -> None:
    """From when on, and why, behind the trouble of which it tells nobody; one that asks for patience needs nobody."""
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
    """Another could not be told from the old one: it is tried again."""
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
    """Perhaps it is not the store that was meant (R31)."""
    run(community)
    dead = ChannelState("webhook", "f", dead_since=community.now, why="deleted")
    community.ledger.post(Posting(community.now, channels=[dead]))
    assert [need.kind for need in community.engage.status().needs] == ["empty", "channel"]


def test_what_fails_for_nobody_needs_nobody(community: Community) -> None:
    """Once the last account is unlinked no sync asks, and that the last ones failed is over."""
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
    """A slot that ended, though it failed, or a sync by hand."""
    community.enroll("ada")
    run(community)
    community.trouble = DOWN
    failed_at = run(community).at
    assert community.engage.status().ran_at == failed_at
    community.trouble = None
    community.sync(timedelta(minutes=7))
    assert community.engage.status().ran_at == community.now


def test_a_wait_and_a_lease_are_told_until_they_are_over(community: Community) -> None:
    """And not a moment longer."""
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

"""Notices to admins, recorded before they are sent so that a killed process leaves a trace (R20)."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from attrs import evolve

from ..core import incidents
from ..core.errors import AlertFailed
from ..core.incidents import ChannelState, Notice, SentNotice, Trouble
from ..core.ports import Alerts, Clock
from ..core.posting import Posting, RunState
from .leases import Run

logger: logging.Logger = logging.getLogger(__name__)


def deliver(
    run: Run, alerts: Sequence[Alerts], troubles: Sequence[Trouble], clock: Clock, source_name: str = incidents.UNNAMED
) -> tuple[list[Notice], list[Notice]]:
    """Send each channel its due notices, and return those taken and those not taken.

    If killed anywhere, each is sent at most twice, and its all-clear follows.
    """
    taken, not_taken, now, before = list[Notice](), list[Notice](), clock(), run.state
    in_use = {fingerprint_of(one) for one in alerts}
    for channel in alerts:
        earlier = _earlier(before, channel)
        for notice in due(before, channel, troubles, now, source_name):
            states = run.state.channels
            if shut := incidents.state_of(states, channel.channel, fingerprint_of(channel), now):
                logger.debug("the %s of %s waits: %s", notice.kind, notice.topic, shut.why)
                continue
            run.renew(clock())
            record = SentNotice(channel.channel, notice.topic, notice.kind, notice.since, now, is_sure=False)
            run.post(Posting(now, begun=[record]))
            if error := failure_of(channel, notice):
                run.post(_not_taken(record, earlier, error, fingerprint_of(channel)))
                not_taken.append(notice)
            else:
                over = _over(states, record.channel, fingerprint_of(channel), in_use)
                run.post(Posting(now, sent=[evolve(record, is_sure=True)], channels=over))
                taken.append(notice)
    return taken, not_taken


def is_due(state: RunState, alerts: Sequence[Alerts], troubles: Sequence[Trouble], now: datetime) -> bool:
    """Return whether a notice is due for any channel that is not shut."""
    return any(
        due(state, one, troubles, now) and not incidents.state_of(state.channels, one.channel, fingerprint_of(one), now)
        for one in alerts
    )


def due(
    state: RunState, channel: Alerts, troubles: Sequence[Trouble], now: datetime, source_name: str = incidents.UNNAMED
) -> Sequence[Notice]:
    """Return the notices that a channel has not taken yet."""
    return incidents.notices_due(troubles, _earlier(state, channel), now, source_name)


def _earlier(state: RunState, channel: Alerts) -> list[SentNotice]:
    """Return the notices that a channel took or may have taken."""
    return [one for one in (*state.notices_sent, *state.notices_begun) if one.channel == channel.channel]


def failure_of(channel: Alerts, notice: Notice) -> AlertFailed | None:
    """Send a notice; return why the channel did not take it, which is logged."""
    try:
        channel.send(notice)
    except AlertFailed as error:
        failed = error
    except Exception as error:
        # Channels may be third-party code: one that raises the wrong error must not silence the others.
        failed = AlertFailed(f"the channel broke off ({type(error).__name__})")
    else:
        return None
    logger.warning("the %s of %s was not delivered: %s", notice.kind, notice.topic, failed)
    return failed


def fingerprint_of(channel: Alerts) -> str:
    """Return the fingerprint of a channel's address; empty if it has none."""
    fingerprint: str = getattr(channel, "fingerprint", "")
    return fingerprint


def shut_channels(states: Iterable[ChannelState], alerts: Sequence[Alerts], now: datetime) -> tuple[ChannelState, ...]:
    """Return the channels that are shut now; if `alerts` are given, only those at their addresses."""
    mine = {(one.channel, fingerprint) for one in alerts for fingerprint in (fingerprint_of(one), "")}
    return tuple(
        state for state in states if state.is_shut(now) and (not mine or (state.channel, state.fingerprint) in mine)
    )


def _not_taken(record: SentNotice, earlier: Iterable[SentNotice], error: AlertFailed, fingerprint: str) -> Posting:
    """Return the posting for a notice not taken: what was begun before counts again, and the channel may shut."""
    before = [one for one in earlier if one.topic == record.topic and not one.is_sure]
    state = incidents.after_failure(record.channel, fingerprint, error, record.at)
    return Posting(
        record.at,
        begun=[] if error.may_have_arrived else before,
        withdrawn=[] if error.may_have_arrived or before else [record],
        channels=[] if state is None else [state],
    )


def _over(states: Iterable[ChannelState], channel: str, fingerprint: str, in_use: set[str]) -> Sequence[ChannelState]:
    """Return the states that end when a channel took a notice: its own, and those of addresses no longer in use."""
    return [
        ChannelState(channel, one.fingerprint)
        for one in states
        if one.channel == channel and (one.fingerprint in {fingerprint, ""} or one.fingerprint not in in_use)
    ]

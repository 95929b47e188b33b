"""Text of alerts and errors, with remedies."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve

from ...core.errors import (
    ClockError,
    ClockLeapt,
    EngageError,
    LinkTaken,
    NotLinked,
    RosterError,
    SourceError,
    StoreMissing,
    StoreOutdated,
    UnknownAward,
    UnknownMember,
)
from ..settings import ALERT_WEBHOOK, DISCORD_GUILD_ID, DISCORD_TOKEN, GUILD_ID, SOURCE, SOURCES, STORE, variable_of

if TYPE_CHECKING:
    # What it takes to load these is half of what a quick command takes.
    from ...core.incidents import ChannelState, Describe, FailureRun, Message, Notice, Trouble
    from ...core.settlement import Pending
    from ...usecases.runs import Need, NeedKind

NO_STORE = f"set {STORE} to yours, check that a file's disk is mounted, or create one (`trc-engage init`)"
REMEDIES: Mapping[type[EngageError], Callable[[Any], str]] = {
    UnknownMember: lambda _: "check the id (`trc-engage members list`) or enroll the member first",
    NotLinked: lambda _: "link one first (`trc-engage members link MEMBER DISCORD_ID`)",
    LinkTaken: lambda error: f"unlink that member first (`trc-engage members unlink {error.member_id}`)",
    StoreMissing: lambda _: NO_STORE,
    StoreOutdated: lambda _: "bring it up to date with `trc-engage migrate`, and try again",
    UnknownAward: lambda _: (
        "look for it with `trc-engage history MEMBER` (only awards can be reversed; correct an adjustment by another)"
    ),
}
"""What an operator can do about an error, in place of what it says itself."""

ARGUMENTS: Mapping[str, str] = {
    "token": "The token is set in {token}",
    "guild_id": "The server's id is set in {guild_id}",
    "base_url": "The address is set in {base_url}",
    "accept_drops": "`trc-engage sync --accept-drops` accepts it, `trc-engage sync --rebase-drops` rebases it",
    "adopt_board": "The server's id is set in {guild_id}, and the address in {base_url}. If you moved, see "
    "`trc-engage sync --adopt-board --dry-run`",
}
"""What an operator knows as the argument that a source's error names."""

FAILED: Mapping[str, str] = {
    "private": ARGUMENTS["token"],
    "unknown_guild": ARGUMENTS["guild_id"],
    "distrusted": "The decision is `trc-engage sync --accept-drops` or `trc-engage sync --rebase-drops`",
    "another_board": ARGUMENTS["adopt_board"],
    "clock": "`date -u` shows this machine's clock, and `timedatectl set-ntp true` sets it",
}
"""What an operator can do about a sync that failed, …"""

_AFTER_A_CHANGE = (
    "The daemon reads its settings when it starts, so restart it after a change; `trc-engage sync` shows at once "
    "whether it helped"
)
FAILED_FOR_LONG: Mapping[str, str] = {
    "private": _AFTER_A_CHANGE,
    "unknown_guild": _AFTER_A_CHANGE,
    "rate_limited": "`trc-engage status` shows until when",
    "blocked": "`trc-engage status` shows until when",
    "malformed": f"`trc-engage sync` shows whether it still does. {ARGUMENTS['base_url']}",
    "down": ARGUMENTS["base_url"],
}
"""… and if it goes on."""
_SERVER = f"The server is set in {DISCORD_GUILD_ID}, or else in {GUILD_ID}"
ROSTER_FAILED: Mapping[str, str] = {
    "token": f"The bot's token is set in {DISCORD_TOKEN}",
    "unknown_guild": _SERVER,
    "no_access": _SERVER,
    "distrusted": "`trc-engage roster check --dry-run` shows them, and `trc-engage roster check --accept-departures` "
    f"accepts it. {_SERVER}",
}
"""What an operator can do about a roster that fails."""

START = "start the daemon (`trc-engage daemon`), or have cron call `trc-engage run-due`"
UNSEEN = "`trc-engage members list --never-seen`"
ENROLL = "enroll members (`trc-engage members enroll --help`)"
NEEDED: Mapping[NeedKind, str] = {"unused": f"{ENROLL}, then {START}", "not_running": START, "empty": ENROLL}


def describe_notice(notice: Notice) -> Message:
    """Put a notice into words for an operator, who has the commands and sets the variables."""
    return notice.message(why_of, "See `trc-engage status`; a reminder follows each day")


def signed(describe: Describe, signature: str) -> Describe:
    """Return words that end with a line that says where a notice comes from."""
    return lambda notice: evolve(message := describe(notice), text=f"{message.text}\n{signature}")


def describe_error(error: EngageError) -> str:
    """Return an error's sentence for an operator: what helps, by command or variable, and until when syncs wait."""
    if remedy := REMEDIES.get(type(error)):
        return f"{error.fact}; {remedy(error)}"
    if isinstance(error, ClockError):
        decides = "confirm" if isinstance(error, ClockLeapt) else "repair"
        return _sentences(str(error), FAILED["clock"], f"The decision is `trc-engage clock {decides}`")
    if isinstance(error, RosterError):
        return _sentences(str(error), ROSTER_FAILED.get(error.kind, ""))
    if not isinstance(error, SourceError):
        return str(error)
    helps = FAILED.get(error.kind, "") if error.kind != "distrusted" else ""
    message = _sentences(str(error), _helps(ARGUMENTS.get(error.argument or "", helps)))
    if error.retry_at is None or (until := f"{error.retry_at:%Y-%m-%d %H:%M:%S} UTC") in message:
        return message
    return f"{message}; the next try is after {until}"


def _helps(text: str) -> str:
    """Return what helps, with the variables of the source that is set."""
    source = os.environ.get(SOURCE, "").strip() or next(iter(SOURCES))
    arguments = ("token", "guild_id", "base_url")
    if source.lower() in SOURCES:
        return text.format(**{one: variable_of(one, source) for one in arguments})
    return text.format(**dict.fromkeys(arguments, f"what {SOURCE} names"))


def _sentences(*texts: str) -> str:
    """Return texts one after the other."""
    first, *others = filter(None, texts)
    return ". ".join([first.rstrip("."), *others]) if others else first


def describe_failures(failure_run: FailureRun) -> str:
    """Return what the last of the failures said, with what helps."""
    return _sentences(failure_run.message, _helps(FAILED.get(failure_run.kind, "")))


def why_of(trouble: Trouble) -> str:
    """Return why something is wrong, with what helps."""
    if trouble.failure_run is not None and trouble.topic == "roster":
        return _sentences(trouble.why, ROSTER_FAILED.get(trouble.failure_run.cause.kind, ""))
    if trouble.failure_run is not None:
        kind = trouble.failure_run.cause.kind
        return _sentences(trouble.why, _helps(FAILED.get(kind, "")), _helps(FAILED_FOR_LONG.get(kind, "")))
    if trouble.topic == "frozen":
        return describe_pending(trouble.pending[0])
    if trouble.topic == "unseen":
        return _sentences(trouble.why, f"{UNSEEN} lists them", _helps(ARGUMENTS["guild_id"]))
    return describe_error(trouble.error) if isinstance(trouble.error, EngageError) else trouble.why


def describe_pending(pending: Pending) -> str:
    """Return what a day waits for, with what helps."""
    if pending.cause == "no_sync":
        return f"{pending.why}. See `trc-engage sync`"
    if pending.cause == "frozen":
        excuse, settle = f"excuse {pending.day} --reason … --by …", f"settle --accept-quiet {pending.day}"
        return (
            f"{pending.fact}. If the board stood still: `trc-engage {excuse}`. If it was really that quiet: "
            f"`trc-engage {settle}`"
        )
    return pending.why


def why_shut(state: ChannelState) -> str:
    """Return why nothing is sent to a channel, with what helps."""
    return _sentences(state.why, f"Its address is set in {ALERT_WEBHOOK}" if state.channel == "webhook" else "")


def advice_of(need: Need) -> str:
    """Return what to do about what is wrong."""
    if need.trouble is not None:
        return why_of(need.trouble)
    if need.channel is not None:
        return why_shut(need.channel)
    return NEEDED.get(need.kind, need.advice)

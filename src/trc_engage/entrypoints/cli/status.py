"""The commands status and alerts: whether the system is healthy, what to do if not, and who would hear of it."""

import shutil
import sys
from collections.abc import Sequence
from typing import cast

import typer

from ...core.incidents import Message, Notice, Topic
from ...usecases.notices import failure_of
from ...usecases.runs import Status
from ..daemon.logs import logged
from ..settings import ALERT_WEBHOOK, installed_version
from ..stores import check_store, now
from ..wire.runs import FullStatus, Tried, TriedChannel
from ..wiring import channels, name_of_source, opened
from ..wording import safe
from ..wording.alerts import advice_of
from ..wording.status import LINE_MIN, answer, holding, running
from .daemon import monitored
from .options import NOT_HEALTHY, Json, command, group_of, settings_in_force
from .output import GAP, print_lines, print_result, print_styled, wrapped


@command(
    "trc-engage status",
    "trc-engage status > /dev/null || notify-me   exit code 1: not healthy",
    'trc-engage status --json | jq .healthy          "needs" lists what is wrong, and what to do',
)
def status(*, as_json: Json = False) -> None:
    """Show whether the system is healthy, and what to do if not.

    The first line is the answer: healthy (exit code 0) or not (1), with the reason and the next step. It is
    not healthy if something lasts and needs you: nothing runs, syncs fail (three, or the first), a leaderboard is
    not trusted, a day cannot be settled, the clock went back, or a webhook rejects alerts. Times are UTC.
    """
    settings = settings_in_force()
    check_store(settings)
    name = name_of_source(settings)
    with opened(settings, alerts=channels(settings), name=name, read_only=True) as engage:
        found = engage.status()
    version = installed_version()
    print_result(FullStatus.of(found, version=version), lambda: print_status(found, version), as_json=as_json)
    if not found.is_healthy:
        raise typer.Exit(NOT_HEALTHY)


def print_status(status: Status, version: str | None) -> None:
    """Print whether all is well, what to do if not, and the facts."""
    word, style = ("healthy", "green") if status.is_healthy else ("NOT healthy", "red")
    _print_labelled(f"{word}: ", style, answer(status), indent=0)
    for need in status.needs[1:]:
        _print_labelled("also: ", style, f"{need.what}; {advice_of(need)}", indent=0)
    print_lines("")
    facts = [*running(status), *holding(status), ("version", version or "not installed")]
    width = max(len(label) for label, _ in facts)
    for label, value in facts:
        _print_labelled(f"{label:<{width}}{GAP}", "", value, indent=width + len(GAP))


def _print_labelled(label: str, style: str, value: str, *, indent: int) -> None:
    """Print a text after its label, on a terminal wrapped to the width with a hanging indent."""
    lines: Sequence[str] = [f"{label}{safe(value)}"]
    if sys.stdout.isatty():
        lines = wrapped(value, max(shutil.get_terminal_size().columns, LINE_MIN), " " * len(label), " " * indent)
    first = lines[0][len(label) :] if lines else ""
    print_styled([[(label, style), (first, "")], *([(line, "")] for line in lines[1:])])


app = group_of("alerts", "Test the channels for alerts.")
TITLE = "Test: trc-engage can reach you here"
TEXT = "Nothing is wrong. Somebody ran `trc-engage alerts test`; alerts about syncs and days come the same way."
TOPIC = cast("Topic", "test")
"""Never stored, so that it is no topic of the core."""


@command("TRC_ENGAGE_ALERT_WEBHOOK=… trc-engage alerts test", name="test", group=app)
def try_channels(*, as_json: Json = False) -> None:
    """Send a test notice through every channel.

    The channels are the log and, if you set them, a Discord webhook and Sentry. The command shows which took the
    notice; exit code 1 means that one did not. It needs no store.
    """
    settings, notice = settings_in_force(), Notice("alert", TOPIC, now(), now())
    with logged("error", as_json=False, secrets=settings.secrets), monitored(settings):
        found = channels(settings, lambda _: Message(TITLE, TEXT))
        tried = [(one.channel, failure_of(one, notice)) for one in found]

    def text() -> None:
        print_lines(*(f"{channel}: {f'NOT taken: {safe(str(why))}' if why else 'took it'}" for channel, why in tried))
        if len(tried) == 1:
            print_lines(f"set {ALERT_WEBHOOK} or SENTRY_DSN to be alerted elsewhere too")

    shapes = [TriedChannel.of(channel=channel, taken=why is None, why=why and str(why)) for channel, why in tried]
    print_result(Tried.of(channels=shapes), text, as_json=as_json)
    if any(why for _, why in tried):
        raise typer.Exit(NOT_HEALTHY)

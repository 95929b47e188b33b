"""The alerts commands: try the channels before they are needed."""

from typing import cast

import typer

from ...core.incidents import Message, Notice, Topic
from ...usecases.notices import failure_of
from ..daemon.logs import logged
from ..settings import ALERT_WEBHOOK
from ..stores import now
from ..wire.runs import Tried, TriedChannel
from ..wiring import channels
from ..wording.plain import safe
from .daemon import monitored
from .options import NOT_HEALTHY, Json, command, settings_in_force
from .output import print_lines, print_result

app: typer.Typer = typer.Typer(name="alerts", rich_markup_mode=None, no_args_is_help=True)

TITLE = "Test: trc-engage can reach you here"
TEXT = "Nothing is wrong. Somebody ran `trc-engage alerts test`; alerts about syncs and days come the same way."
TOPIC = cast("Topic", "test")
"""Never stored, so that it is no topic of the core."""


@app.callback()
def alerts() -> None:
    """Test the channels for alerts."""


@command("TRC_ENGAGE_ALERT_WEBHOOK=… trc-engage alerts test", name="test", group=app)
def try_channels(*, as_json: Json = False) -> None:
    """Send a test notice through every channel.

    The channels are the log and, if you set them, a Discord webhook and Sentry. The command shows which took the
    notice; exit code 1 means that one did not. It needs no store.
    """
    settings, notice = settings_in_force(), Notice("alert", TOPIC, now(), now())
    with (
        logged("error", as_json=False, secrets=settings.secrets),
        monitored(settings),
        channels(settings, lambda _: Message(TITLE, TEXT)) as found,
    ):
        tried = [(one.channel, failure_of(one, notice)) for one in found]

    def text() -> None:
        print_lines(*(f"{channel}: {f'NOT taken: {safe(str(why))}' if why else 'took it'}" for channel, why in tried))
        if len(tried) == 1:
            print_lines(f"set {ALERT_WEBHOOK} or SENTRY_DSN to be alerted elsewhere too")

    shapes = [TriedChannel.of(channel=channel, taken=why is None, why=why and str(why)) for channel, why in tried]
    print_result(Tried.of(channels=shapes), text, as_json=as_json)
    if any(why for _, why in tried):
        raise typer.Exit(NOT_HEALTHY)

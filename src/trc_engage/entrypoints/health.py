"""The status command: whether all is well, and what to do if not."""

from __future__ import annotations

import os

import typer

from .arguments import Json, examples
from .exits import NOT_HEALTHY
from .jsonable import say_json
from .settings import Settings
from .version import installed_version
from .vitals import of_status
from .wiring import channels, check_store, opened

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog=examples(
        "Examples:",
        "trc-engage status",
        "trc-engage status > /dev/null || mail-somebody  exit code 1: not healthy",
        'trc-engage status --json | jq .healthy          "needs" holds what is wrong, and what to do',
    )
)
def status(*, as_json: Json = False) -> None:
    """Tell whether all is well, and what to do if not.

    The first line is the answer: healthy (exit code 0) or not (1), the reason and the next step. Not healthy
    is what lasts and needs somebody: nothing runs, three syncs in a row failed, a board that is not trusted,
    a day that cannot be settled, a clock that went back, a webhook that takes no alerts. Times are UTC.
    """
    settings = Settings.from_mapping(os.environ)
    check_store(settings)
    with channels(settings) as alerts, opened(settings, alerts=alerts) as engage:
        found = engage.status()
    if as_json:
        say_json(of_status(found, installed_version()))
    else:
        from .sentences.health import say_status  # noqa: PLC0415

        say_status(found, installed_version())
    if not found.is_healthy:
        raise typer.Exit(NOT_HEALTHY)

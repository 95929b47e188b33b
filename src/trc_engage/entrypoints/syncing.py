"""The sync command: one sync, shown to a person or told to a script."""

import sys
from collections.abc import Mapping

from ..core.errors import EngageError
from .jsonable import of_failure, of_report, say_json
from .progress import Progress
from .sentences import say_report
from .settings import Settings
from .wiring import opened_with_source


def synced(environ: Mapping[str, str], *, as_json: bool, dry_run: bool, **how: bool) -> None:
    """Sync once and say what it did; a failure is told in JSON too, and raised."""
    try:
        settings = Settings.from_mapping(environ)
        with Progress(sys.stderr) as on_page, opened_with_source(settings, on_page=on_page) as engage:
            report = engage.sync(dry_run=dry_run, **how)
    except EngageError as error:
        if as_json:
            say_json(of_failure(error, dry_run=dry_run))
        raise
    if as_json:
        say_json(of_report(report, dry_run=dry_run))
    else:
        say_report(report)

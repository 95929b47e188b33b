"""The commands status, alerts, settings and doctor."""

import shutil
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Annotated, cast

import typer
from attrs import evolve

from ...adapters.discord import BASE_URL
from ...core.audit import BALANCE, NAME, STREAK, Audit, Repair
from ...core.incidents import Message, Notice, Topic
from ...usecases.notices import failure_of
from ...usecases.runs import Status
from ..daemon.logs import logged
from ..settings import (
    ALERT_WEBHOOK,
    ENV_FILE,
    SOURCES,
    STORE_NAME,
    Settings,
    installed_version,
    settings_shown,
    variables,
)
from ..stores import check_store, default_folder, now
from ..web.brand import Brand
from ..wire.runs import Audit as AuditShape, FullStatus, SettingsShown, Tried, TriedChannel
from ..wiring import channels, found_at, name_of_source, opened
from ..wording import counted, safe
from ..wording.alerts import advice_of
from ..wording.status import LINE_MIN, answer, holding, running
from .daemon import monitored
from .options import NOT_HEALTHY, Json, command, flag, group_of, settings_in_force
from .output import GAP, print_lines, print_note, print_result, print_some, print_styled, print_table, wrapped


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
TEXT = "This is only a test: somebody ran `trc-engage alerts test`; alerts about syncs and days come the same way."
TOPIC = cast("Topic", "test")
"""Never stored, so the core need not know it."""


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
        print_lines(
            *(f"{channel}: {f'NOT delivered: {safe(str(why))}' if why else 'delivered'}" for channel, why in tried)
        )
        if len(tried) == 1:
            print_lines(f"set {ALERT_WEBHOOK} or SENTRY_DSN to be alerted elsewhere too")

    shapes = [TriedChannel.of(channel=channel, taken=why is None, why=why and str(why)) for channel, why in tried]
    print_result(Tried.of(channels=shapes), text, as_json=as_json)
    if any(why for _, why in tried):
        raise typer.Exit(NOT_HEALTHY)


@command("trc-engage --env-file /etc/trc-engage.env settings")
def settings(context: typer.Context, *, as_json: Json = False) -> None:
    """Show which settings are in force, and what set each.

    Options override the environment, which overrides the file. Secrets are not shown.
    """
    found = settings_in_force()
    origins = context.find_root().obj
    shown = list(settings_shown(_with_defaults(found), origins))
    known = {ENV_FILE, *(variable for variable, _ in variables())}
    unknown = sorted(name for name in origins if name.startswith("TRC_ENGAGE_") and name not in known)

    def text() -> None:
        print_table(
            ("setting", "value", "set by"), [(one.variable, one.value or "not set", one.origin) for one in shown]
        )
        if unknown and found.source in SOURCES:
            print_note(f"unknown settings, ignored: {', '.join(unknown)}")

    print_result(SettingsShown.of(settings=shown, unknown=unknown), text, as_json=as_json)


def _with_defaults(found: Settings) -> Settings:
    """Return the settings with the defaults of those that are not set."""
    own_url = found_at(SOURCES[found.source][1]).service.base_url if found.source in SOURCES else None
    return evolve(
        found,
        store=found.store or default_folder() / STORE_NAME,
        source_url=found.source_url or own_url,
        discord_guild_id=found.discord_guild_id or found.guild_id,
        discord_url=found.discord_url or BASE_URL,
        web_title=found.web_title or Brand().title,
    )


@command(
    "trc-engage doctor",
    "trc-engage doctor --repair",
    "TRC_ENGAGE_STORE=/backups/engage.db trc-engage doctor   checks a backup",
)
def doctor(
    *,
    repair: Annotated[bool, flag("--repair", "Rebuild balances, streaks and search words.")] = False,
    as_json: Json = False,
) -> None:
    """Check the store for damage and inconsistencies.

    It checks entries, accounts, balances, streaks, links, days, runs and the file itself, and lists each
    breach. It changes nothing, and you can run it while a daemon runs. Exit code 0: the store is sound; 1: it
    is not. The output shows no names and no Discord ids.
    """
    with opened(settings_in_force(), read_only=not repair) as engage:
        repaired = engage.repair() if repair else None
        audit = engage.audit() if repaired is None else repaired.audit
    shape = AuditShape.of(audit, rebuilt=repaired and repaired.changes)
    print_result(shape, lambda: print_audit(audit, repaired), as_json=as_json)
    if not audit.is_healthy:
        raise typer.Exit(NOT_HEALTHY)


SHOWN_MAX = 10
DERIVED = {BALANCE: "balances", STREAK: "streaks", NAME: "search words"}
"""What `--repair` rebuilds, by check."""


def print_audit(audit: Audit, repaired: Repair | None) -> None:
    """Print what was rebuilt and checked, the breaches by check, and what to do."""
    if repaired is not None:
        print_repair(repaired)
    sizes = ((audit.members, "member"), (audit.accounts, "account"), (audit.entries, "entry"))
    looked_at = f"audited {', '.join(counted(*size) for size in sizes)}"
    if audit.is_healthy:
        print_lines(f"{looked_at}: all is well")
        return
    print_lines(f"{looked_at}: {counted(len(audit.breaches), 'breach')}")
    for check, found in groupby(audit.breaches, key=lambda breach: breach.check):
        print_lines(f"{check}:")
        print_some([breach.message for breach in found], SHOWN_MAX)
    _print_what_next(audit, is_repaired=repaired is not None)


def print_repair(repair: Repair) -> None:
    """Print what was rebuilt, before and after."""
    if not repair.changes:
        print_lines("rebuilt: nothing")
        return
    print_lines(f"rebuilt {counted(len(repair.changes), 'value')}:")
    print_some([f"{one.subject}: {one.what}: {one.found} → {one.expected}" for one in repair.changes], SHOWN_MAX)


def _print_what_next(audit: Audit, *, is_repaired: bool) -> None:
    can = [check for check in DERIVED if audit.can_rebuild(check)]
    if can and not is_repaired:
        print_lines(f"run `trc-engage doctor --repair` to rebuild {_derived(can)}; it changes nothing else")
    found = {breach.check for breach in audit.breaches}
    lost = [check for check in DERIVED if check in found and check not in can]
    if lost:
        print_lines(
            f"cannot be rebuilt: {_derived(lost)}. Their source is damaged, and they may be the last record of what it "
            "held"
        )
    if found - {*can}:
        print_lines("to recover the rest, run `trc-engage restore FILE` with a backup that the doctor finds sound")


def _derived(checks: Iterable[str]) -> str:
    return " and ".join(DERIVED[check] for check in checks)

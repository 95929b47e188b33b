"""The command settings: what is in force, and what set it."""

import typer
from attrs import evolve

from ...adapters.discord import BASE_URL
from ..settings import ENV_FILE, SOURCES, STORE_NAME, Settings, settings_shown, variables
from ..stores import default_folder
from ..web.brand import Brand
from ..wire.runs import SettingsShown
from ..wiring import found_at
from .options import Json, command, settings_in_force
from .output import print_note, print_result, print_table


@command("trc-engage --env-file /etc/trc-engage.env settings")
def settings(context: typer.Context, *, as_json: Json = False) -> None:
    """Show which settings are in force, and what set each.

    An option comes before a variable of the environment, and that before the file. Secrets are not shown.
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
            print_note(f"set, and not known: {', '.join(unknown)}")

    print_result(SettingsShown.of(settings=shown, unknown=unknown), text, as_json=as_json)


def _with_defaults(found: Settings) -> Settings:
    """Return the settings with what is used where nothing is set."""
    own_url = found_at(SOURCES[found.source][1]).service.base_url if found.source in SOURCES else None
    return evolve(
        found,
        store=found.store or default_folder() / STORE_NAME,
        source_url=found.source_url or own_url,
        discord_guild_id=found.discord_guild_id or found.guild_id,
        discord_url=found.discord_url or BASE_URL,
        web_title=found.web_title or Brand().title,
    )

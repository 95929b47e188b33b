"""The mee6-server command: a local MEE6 whose people chat."""

import signal
from random import Random
from threading import Event
from typing import Annotated

import typer

from ...core.errors import InvalidValue
from ...core.validation import validate_discord_id
from ...testing.mee6 import TROUBLES, Mee6Server
from .options import BadData, command
from .output import print_lines, print_table


@command("trc-engage mee6-server --port 8066 --members 50", "trc-engage mee6-server --trouble rate_limited")
def mee6_server(
    *,
    port: Annotated[
        int, typer.Option(metavar="PORT", help="The port on 127.0.0.1; 0 picks a free one.", min=0, max=65_535)
    ] = 0,
    guild_id: Annotated[str, typer.Option(metavar="ID", help="The Discord server it serves.")] = "200000000000000001",
    members: Annotated[int, typer.Option(metavar="N", help="How many people chat.", min=1, max=10_000)] = 10,
    trouble: Annotated[
        str | None, typer.Option(metavar="NAME", help="Answer with this trouble; 'list' shows all.")
    ] = None,
) -> None:
    """Serve a MEE6 leaderboard for trying things out.

    It listens on 127.0.0.1, and its people write messages and earn XP. It answers as MEE6 does, faults
    included. It prints what to type in another terminal, and runs until you press Ctrl-C.
    """
    if trouble == "list":
        print_table(("trouble", "what it is"), [(known.name, known.imitates) for known in TROUBLES.values()])
        return
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with _started(port, guild_id) as server:
        try:
            if trouble is not None:
                server.trouble(trouble)
        except ValueError as error:
            raise BadData(f"{error}") from error
        ids = _join(server, members)
        print_lines(
            READY.format(url=server.url, guild_id=guild_id, members=members, first_id=ids[0], first_name=NAMES[0])
        )
        chance = Random()  # noqa: S311  chance, not secrecy
        while not stop.wait(CHAT_SECONDS):
            for discord_id in chance.sample(ids, k=max(1, members // 10)):
                server.board.post(discord_id)


FIRST_ID = 300_000_000_000_000_001
NAMES = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Dennis", "Katherine", "Radia", "Hedy", "Margaret")
CHAT_SECONDS = 1.0
XP_BEFORE_MAX = 5_000

READY = """\
MEE6 is at {url}, with {members} people who chat; press Ctrl-C to stop it.

In another terminal:

  export TRC_ENGAGE_MEE6_URL={url}
  export TRC_ENGAGE_GUILD_ID={guild_id}
  export TRC_ENGAGE_STORE=try.db

  trc-engage members enroll m-1 --discord-id {first_id} --name {first_name}
  trc-engage sync          # opens the account; then, a minute later:
  trc-engage sync --fresh  # pays what was earned since
  trc-engage history m-1
"""


def _started(port: int, guild_id: str) -> Mee6Server:
    try:
        return Mee6Server.start(port=port, guild_id=validate_discord_id(guild_id))
    except InvalidValue as error:
        raise InvalidValue("guild_id", guild_id, error.advice) from error
    except OSError as error:
        raise InvalidValue("port", port, f"cannot listen there ({error.strerror}); 0 picks a free one") from error


def _join(server: Mee6Server, members: int) -> list[str]:
    """Let people join the server, with some XP from before."""
    ids = [str(FIRST_ID + number) for number in range(members)]
    chance = Random(members)  # noqa: S311  chance, not secrecy
    for number, discord_id in enumerate(ids):
        name = NAMES[number] if number < len(NAMES) else f"Member {number + 1}"
        server.board.join(discord_id, username=name, xp=chance.randint(1, XP_BEFORE_MAX))
    return ids

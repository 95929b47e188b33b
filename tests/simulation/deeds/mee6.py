"""What happens on MEE6's side: its admins give and take XP, and seasons end."""

from attrs import evolve

from ..process import Process
from .doer import Doer


def give(doer: Doer, _: Process) -> None:
    """Give someone XP, except on a day of silence."""
    if not doer.life.world.quiet:
        doer.life.world.give(doer.random.choice(doer.life.ids), doer.random.choice([1, 50, 199, 1_600, 9_000]))


def remove(doer: Doer, _: Process) -> None:
    """Take XP from someone."""
    doer.life.world.give(doer.random.choice(doer.life.ids), -doer.random.choice([1, 50, 101, 1_600, 9_000]))


def reset_member(doer: Doer, _: Process) -> None:
    """Reset someone's XP."""
    doer.life.world.reset(doer.random.choice(doer.life.ids))


def season_ends(doer: Doer, _: Process) -> None:
    """Reset everyone, which an admin would rebase."""
    doer.life.note("the season ends")
    doer.life.world.reset_all()
    doer.life.season = "rebase"


def many_fall(doer: Doer, _: Process) -> None:
    """Take XP from about half of all, which an admin would deduct."""
    doer.life.note("many fall")
    for one in doer.life.ids:
        if doer.random.random() < 0.5:
            doer.life.world.give(one, -doer.random.randint(1, 2_000))
    doer.life.season = "deduct"


def community_moves(doer: Doer, _: Process) -> None:
    """Move everyone to another Discord server, whose board the admins want from now on (R24)."""
    life = doer.life
    home = life.server.home
    if life.oracle.board_id == home.board_id:
        life.note("the community moves")
        life.server.home = evolve(home, guild_id=str(int(home.guild_id) + 1_000))
        life.world.move()
        life.weather.forget_boards()
        life.season = None

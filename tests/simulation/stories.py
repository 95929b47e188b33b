"""Stories: the same world under chosen faults, each kept because a life once broke on it."""

from collections.abc import Callable, Sequence
from random import Random

from attrs import frozen

from . import episodes
from .episodes import DOWNS, MAKERS, Episode, Maker
from .weather import CROWD


def _lasting(name: str, share: float = 1.0, troubles: tuple[str, ...] = (), number: int = 0) -> Callable[[], Episode]:
    return lambda: Episode(name, 10**6, share, troubles, number)


def _short_clock(random: Random, _: int) -> Episode:
    """Let a clock be wrong for a slot or two: an alert at once, and then all is well again."""
    return Episode("clock", random.randint(1, 2), number=random.choice([-600, 600, 1_200]))


def _stepping_clock(random: Random, _: int) -> Episode:
    """Let a clock run ahead by less than a server's time reveals, and be corrected again."""
    return Episode("clock", random.randint(1, 6), number=random.choice([150, 200, 280]))


def _short_outage(random: Random, _: int) -> Episode:
    return Episode("outage", random.randint(3, 5), 1.0, (random.choice(DOWNS),))


@frozen
class Story:
    """Faults that last, and others that come and go."""

    lasting: Sequence[Callable[[], Episode]] = ()
    makers: Sequence[Maker] = ()
    intensity: float = 3.0
    """How much more often than usual they come …"""
    crowd: int = CROWD
    """… and how many at a time."""
    patience: float = 1.0
    """How long admins let a decision wait, as a multiple of the usual."""
    quiet_every: int = 11
    """Everyone is silent on one day of this many."""
    upheaval: float = 1.0
    """How much more often than usual seasons end, many fall, and the community moves."""


STORIES = {
    "many retries on short pages": Story(
        lasting=[
            _lasting("clamp", number=7),
            _lasting("burst", 0.5, ("timeout", "gateway_timeout", "bad_gateway", "unavailable", "reset")),
        ]
    ),
    "killed while an alert goes out": Story(
        lasting=[_lasting("kills", 0.9)],
        makers=[(_short_clock, 2), (_short_outage, 1)],
    ),
    "another board now and then": Story(makers=[(episodes.elsewhere, 3), (episodes.outage, 1)]),
    "reads of many minutes": Story(
        lasting=[_lasting("long", 0.7, number=3)],
        makers=[(_short_outage, 1), (episodes.elsewhere, 0.3)],
    ),
    "clocks that step": Story(makers=[*MAKERS, (_stepping_clock, 30)]),
    "all at once": Story(makers=MAKERS, intensity=6.0, crowd=6, patience=4.0, quiet_every=3, upheaval=5.0),
    "a webhook that dies": Story(
        makers=[(_short_outage, 4), (_short_clock, 2), (episodes.webhook, 4), (episodes.gone, 1)],
    ),
}
"""The stories by name."""

"""Stories: the same world under faults of one's choice, each kept because a life once broke on it."""

from collections.abc import Callable, Sequence
from random import Random

from attrs import frozen

from . import episodes
from .episodes import DOWNS, Episode, Maker


def _lasting(name: str, share: float = 1.0, troubles: tuple[str, ...] = (), number: int = 0) -> Callable[[], Episode]:
    return lambda: Episode(name, 10**6, share, troubles, number)


def _short_clock(random: Random, _: int) -> Episode:
    """Let a clock be wrong for a slot or two: an alert at once, and all is well again."""
    return Episode("clock", random.randint(1, 2), number=random.choice([-600, 600, 1_200]))


def _short_outage(random: Random, _: int) -> Episode:
    return Episode("outage", random.randint(3, 5), 1.0, (random.choice(DOWNS),))


@frozen
class Story:
    """Faults that last, and others that come and go."""

    lasting: Sequence[Callable[[], Episode]] = ()
    makers: Sequence[Maker] = ()
    intensity: float = 3.0
    """How much oftener than usual they come."""


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
    "a webhook that dies": Story(
        makers=[(_short_outage, 4), (_short_clock, 2), (episodes.webhook, 4), (episodes.gone, 1)],
    ),
}
"""By what they are about."""

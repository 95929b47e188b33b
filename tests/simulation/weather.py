"""Which faults strike: in bursts, in long outages, and repeatedly, with calm in between."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from attrs import define, field

from .boards import Address
from .episodes import MAKERS, Episode, Maker, cached
from .world import Page

LIMIT_MAX = 1_000
OLDER_MAX = 12
"""How many past boards a cache may still hold: of the last hours, and some of the day before."""
OLDER_EVERY = 12
LAGGING_MAX = 4
"""How many rows an old replica gets wrong; more would be distrusted."""
CROWD = 3
"""How many faults may last at a time."""
DAMPING = 0.5
LASTING = 10**5
"""Slots of a fault that lasts for a whole story."""
SLOWNESS = 8.0
"""Of a machine that can hardly keep up."""
EVENING = 21
EVENINGS = 0.15
"""The share of evenings on which a page is cached over midnight."""


@define(eq=False)
class Weather:
    """The faults of the present slot."""

    random: Random
    makers: Sequence[Maker] = MAKERS
    intensity: float = 1.0
    crowd: int = CROWD
    episodes: list[Episode] = field(factory=list)
    past: list[Episode] = field(factory=list)
    calm_slots: int = 0
    served_by: str = ""
    """The fault that decided on the last page, if any."""
    _boards: list[Page] = field(factory=list)
    _old: list[Page] = field(factory=list)
    _remembered: int = 0
    _frozen: Page | None = None
    _cached: Page | None = None

    def turn(self, at: datetime) -> list[Episode]:
        """Move to the next slot, and return the faults that begin."""
        for episode in self.episodes:
            episode.slots -= 1
        self.episodes = [episode for episode in self.episodes if episode.slots > 0]
        self.calm_slots = 0 if self.episodes else self.calm_slots + 1
        if self.episode("frozen") is None:
            self._frozen = None
        if self.episode("cached") is None:
            self._cached = None
        began = []
        if (at.hour, at.minute) == (EVENING, 0) and self.random.random() < EVENINGS * self.intensity:
            began.append(cached(self.random, 0))
            self.episodes.append(began[-1])
            self.calm_slots = 0
        while self._may_begin():
            began.append(self._new())
            self.episodes.append(began[-1])
            self.calm_slots = 0
        return began

    def _may_begin(self) -> bool:
        """Return whether one more fault begins; the fewer there are, the likelier."""
        count = sum(episode.slots < LASTING for episode in self.episodes)
        return (
            bool(self.makers)
            and count < self.crowd
            and self.random.random() < 0.07 * self.intensity * DAMPING ** (count * CROWD / self.crowd)
        )

    def clear(self) -> None:
        """End all faults for good."""
        self.episodes, self.intensity, self._frozen, self._cached = [], 0.0, None, None

    def remember(self, board: Page) -> None:
        """Keep a board in the cache."""
        self._remembered += 1
        if self._remembered % OLDER_EVERY == 0:
            self._old = [*self._old[-OLDER_MAX + 1 :], board]
        self._boards = [*self._boards[-OLDER_MAX + 1 :], board]

    def _new(self) -> Episode:
        if self.past and self.random.random() < 0.25:
            again = self.random.choice(self.past)
            return Episode(again.name, again.slots, again.share, again.troubles, again.number)
        make = self.random.choices([one for one, _ in self.makers], [weight for _, weight in self.makers])[0]
        episode = make(self.random, self._length())
        self.past.append(episode)
        return Episode(episode.name, episode.slots, episode.share, episode.troubles, episode.number)

    def _length(self) -> int:
        """Return the length of a fault: a few slots mostly, days now and then."""
        shape = self.random.random()
        if shape < 0.75:
            return self.random.randint(1, 8)
        return self.random.randint(8, 40) if shape < 0.95 else self.random.randint(90, 290)

    def episode(self, name: str) -> Episode | None:
        """Return the fault of this name, if it lasts."""
        return next((one for one in self.episodes if one.name == name), None)

    def strikes(self, name: str) -> Episode | None:
        """Return the fault of this name, if it strikes now."""
        episode = self.episode(name)
        return episode if episode is not None and self.random.random() < episode.share else None

    @property
    def outage(self) -> str | None:
        """The only trouble of a long outage."""
        episode = self.episode("outage")
        return episode.troubles[0] if episode else None

    @property
    def limit_max(self) -> int:
        """The most rows that the server puts on a page."""
        episode = self.episode("long") or self.episode("clamp") or self.episode("moving") or self.episode("cached")
        return episode.number if episode else LIMIT_MAX

    @property
    def slowness(self) -> float:
        """By what factor a pause lasts longer than asked for."""
        return SLOWNESS if self.episode("long") else 1.0

    @property
    def clock_error(self) -> timedelta:
        """How far the machines' clocks are ahead."""
        episode = self.episode("clock")
        return timedelta(seconds=episode.number if episode else 0)

    def has(self, name: str) -> bool:
        """Return whether this fault lasts now."""
        return self.episode(name) is not None

    def address(self, home: Address, process: int) -> Address:
        """Return the address a process is pointed at: the community's own board, unless there is a mistake."""
        episode = self.episode("elsewhere")
        if episode is None or episode.number % 3 == process + 1:
            return home
        return home.mistaken(episode.troubles[0], episode.number)

    def forget_boards(self) -> None:
        """Empty all caches, because the board is another one."""
        self._boards, self._old, self._frozen, self._cached = [], [], None, None

    def trouble(self, random: Random) -> str | None:
        """Return what goes wrong with this request, if anything."""
        if self.outage:
            return self.outage
        for episode in self.episodes:
            if episode.name == "burst" and random.random() < episode.share:
                return random.choice(episode.troubles)
        return None

    def moves(self, random: Random) -> bool:
        """Return whether the board moves before this page."""
        episode = self.episode("moving")
        return episode is not None and random.random() < episode.share

    def served(self, board: Page, number: int, random: Random) -> Page:
        """Return the board that this page is served from: the present one, a part of it, or an older one."""
        self.served_by, served = self._served(board, number, random)
        return served

    def _served(self, board: Page, number: int, random: Random) -> tuple[str, Page]:
        if self.episode("frozen"):
            self._frozen = self._frozen or board
            return "frozen", self._frozen
        if number == 0 and self.episode("cached"):
            self._cached = self._cached or board
            return "cached", self._cached
        if (half := self.episode("half")) and random.random() < half.share:
            return "half", Page(board.rows[: len(board.rows) * half.number // 100])
        if (stale := self.episode("stale")) and random.random() < stale.share:
            return "stale", self.older(board, random)
        if (lagging := self.episode("lagging")) and random.random() < lagging.share:
            return "lagging", self._lagging(board, random)
        return "", board

    def _lagging(self, board: Page, random: Random) -> Page:
        """Return the board with a few rows as they used to be."""
        then, rows = dict(random.choice(self._old or [board]).rows), dict(board.rows)
        both = [one for one in rows if then.get(one, rows[one]) != rows[one]]
        rows |= {one: then[one] for one in random.sample(both, k=min(LAGGING_MAX, len(both)))}
        return Page(sorted(rows.items(), key=lambda row: -row[1]))

    def older(self, board: Page, random: Random) -> Page:
        """Return a board of the past."""
        return random.choice(self._boards) if self._boards else board

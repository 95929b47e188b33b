"""Which faults rage: in bursts, in long outages, and the same again; and calm in between."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from attrs import define, field

from .boards import Address
from .episodes import MAKERS, Episode, Maker, cached
from .world import Page

LIMIT_MAX = 1_000
OLDER_MAX = 12
"""How many boards of the past a cache may still hold: of the last hours, and some of the day before."""
OLDER_EVERY = 12
LAGGING_MAX = 4
"""Rows that an old replica gets wrong; more would be distrusted."""
CROWD = 3
"""So many faults rage at a time."""
DAMPING = 0.5
LASTING = 10**5
"""Slots of a fault that is there for the whole of a story."""
SLOWNESS = 8.0
"""Of a machine that hardly comes to it."""
EVENING = 21
EVENINGS = 0.15
"""How many of them have a page in a cache over midnight."""


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
        """Come to the next slot; return what begins."""
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
        """Tell whether one more fault begins: the fewer there are, the likelier."""
        count = sum(episode.slots < LASTING for episode in self.episodes)
        return (
            bool(self.makers)
            and count < self.crowd
            and self.random.random() < 0.07 * self.intensity * DAMPING ** (count * CROWD / self.crowd)
        )

    def clear(self) -> None:
        """End all faults, for good."""
        self.episodes, self.intensity, self._frozen, self._cached = [], 0.0, None, None

    def remember(self, board: Page) -> None:
        """Let a cache keep a board."""
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
        """Return a few slots mostly, now and then days."""
        shape = self.random.random()
        if shape < 0.75:
            return self.random.randint(1, 8)
        return self.random.randint(8, 40) if shape < 0.95 else self.random.randint(90, 290)

    def episode(self, name: str) -> Episode | None:
        """Return the fault of this name, if it rages."""
        return next((one for one in self.episodes if one.name == name), None)

    def strikes(self, name: str) -> Episode | None:
        """Return the fault of this name, if it strikes now."""
        episode = self.episode(name)
        return episode if episode is not None and self.random.random() < episode.share else None

    @property
    def outage(self) -> str | None:
        """Return the one trouble that a long outage is made of."""
        episode = self.episode("outage")
        return episode.troubles[0] if episode else None

    @property
    def limit_max(self) -> int:
        """Return the most rows that the server puts on a page."""
        episode = self.episode("long") or self.episode("clamp") or self.episode("moving") or self.episode("cached")
        return episode.number if episode else LIMIT_MAX

    @property
    def slowness(self) -> float:
        """Return how many times as long as asked for a pause lasts."""
        return SLOWNESS if self.episode("long") else 1.0

    @property
    def clock_error(self) -> timedelta:
        """Return how far the machines' clocks are ahead."""
        episode = self.episode("clock")
        return timedelta(seconds=episode.number if episode else 0)

    def has(self, name: str) -> bool:
        """Tell whether such a fault rages."""
        return self.episode(name) is not None

    def address(self, home: Address, process: int) -> Address:
        """Return where a process is pointed at: the community's own board, but for a mistake."""
        episode = self.episode("elsewhere")
        if episode is None or episode.number % 3 == process + 1:
            return home
        return home.mistaken(episode.troubles[0], episode.number)

    def forget_boards(self) -> None:
        """Let no cache hold anything: the board is another one."""
        self._boards, self._old, self._frozen, self._cached = [], [], None, None

    def trouble(self, random: Random) -> str | None:
        """Return what goes wrong with this request."""
        if self.outage:
            return self.outage
        for episode in self.episodes:
            if episode.name == "burst" and random.random() < episode.share:
                return random.choice(episode.troubles)
        return None

    def moves(self, random: Random) -> bool:
        """Tell whether the board moves before this page."""
        episode = self.episode("moving")
        return episode is not None and random.random() < episode.share

    def served(self, board: Page, number: int, random: Random) -> Page:
        """Return the board of which this page is served: this one, a part of it, or an older one."""
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
        """Return the board with a few rows as they were."""
        then, rows = dict(random.choice(self._old or [board]).rows), dict(board.rows)
        both = [one for one in rows if then.get(one, rows[one]) != rows[one]]
        rows |= {one: then[one] for one in random.sample(both, k=min(LAGGING_MAX, len(both)))}
        return Page(sorted(rows.items(), key=lambda row: -row[1]))

    def older(self, board: Page, random: Random) -> Page:
        """Return a board of the past."""
        return random.choice(self._boards) if self._boards else board

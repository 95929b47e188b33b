"""A night of lives in shards: each life that has ended is a line of a file, and later runs skip it."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from time import monotonic

from attrs import astuple, field, frozen
from cattrs.preconf.json import make_converter

from .living import Asked, Lived, lived

AS_JSON = make_converter()


def share(lives: Iterable[Asked], shard: str) -> list[Asked]:
    """Return the lives of a shard: `2/8` has every eighth of them, starting with the second."""
    number, of = map(int, shard.split("/"))
    return [one for place, one in enumerate(lives) if place % of == number - 1]


@frozen
class Finished:
    """The lives that have ended; with a file they survive the process."""

    path: Path | None = None
    lives: dict[Asked, Lived] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        if self.path is not None and self.path.exists():
            *lines, cut_off = self.path.read_text().split("\n")
            if cut_off:
                self.path.write_text("".join(f"{line}\n" for line in lines))
            ended = [AS_JSON.loads(line, Lived) for line in lines]
            self.lives.update((life.asked, life) for life in ended)

    def add(self, life: Lived) -> None:
        """Record how a life went."""
        self.lives[life.asked] = life
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(f"{AS_JSON.dumps(life)}\n")
                file.flush()
                os.fsync(file.fileno())


def live_all(
    processes: ProcessPoolExecutor, lives: Iterable[Asked], jobs: int, seconds: float = float("inf")
) -> Iterator[Lived]:
    """Live the lives, this many at a time, and yield each as it ends; after this many seconds begin no more."""
    until, left, under_way = monotonic() + seconds, iter(lives), set[Future[Lived]]()
    while True:
        while len(under_way) < jobs and monotonic() < until and (asked := next(left, None)):
            under_way.add(processes.submit(lived, *astuple(asked)))
        if not under_way:
            return
        ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        yield from (one.result() for one in ended)

"""Several threads on one store, as in a web server."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import TypeVar

from ...core.errors import LedgerBusy, Moved
from ...core.postings import Posting
from .story import ADA, ADA_ID, MONDAY, StoreContract, Story

THREADS = 8
CROWD, ROUNDS = 40, 5
Result = TypeVar("Result")


class ThreadsContract(StoreContract):
    """What holds when many do the same thing at the same instant."""

    def test_of_many_equal_postings_one_is_written(self, story: Story) -> None:
        """Eight threads post what they planned on the same state: one wins, seven are `Moved`."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 0})
        story.at += timedelta(minutes=15)
        planned = story.planned({ADA_ID: 1_000})
        assert sorted(_at_once(lambda: _posted(story, planned))) == [False] * (THREADS - 1) + [True]
        assert story.account(ADA).xp_total == 1_000
        standing = story.standing(ADA)
        assert standing.points == 10

    def test_of_many_large_postings_one_is_written(self, story: Story) -> None:
        """However often threads take turns within one: the others are `Moved`, and nobody is paid twice."""
        ids = {f"m-{number:02}": str(10**17 + number) for number in range(CROWD)}
        for member_id, discord_id in ids.items():
            story.enroll(member_id, discord_id)
        story.sync(dict.fromkeys(ids.values(), 0))
        for number in range(1, ROUNDS + 1):
            story.at += timedelta(minutes=15)
            planned = story.planned(dict.fromkeys(ids.values(), 100 * number))
            with _eager_threads():
                written = _at_once(partial(_posted, story, planned))
            assert sorted(written) == [False] * (THREADS - 1) + [True]
            assert {standing.points for standing in story.ledger.members()} == {number}

    def test_of_many_claims_one_is_granted(self, story: Story) -> None:
        """Eight threads claim the same task: one gets it."""

        def claimed() -> bool:
            try:
                story.ledger.claim("sync", MONDAY, MONDAY + timedelta(minutes=5))
            except LedgerBusy:
                return False
            return True

        assert sorted(_at_once(claimed)) == [False] * (THREADS - 1) + [True]

    def test_readers_see_whole_postings(self, story: Story) -> None:
        """While one thread posts, others always find balance and entries in step."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 0})

        def post_and_read(number: int) -> None:
            if number == 0:
                for step in range(1, 21):
                    story.sync({ADA_ID: 150 * step})
                return
            for _ in range(20):
                standing = story.standing(ADA)
                assert standing.discord is not None
                assert standing.points == standing.discord.xp_total // 100

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(post_and_read, range(THREADS)))
        assert story.account(ADA).xp_total == 3_000


@contextmanager
def _eager_threads() -> Iterator[None]:
    """Let threads take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 1_000)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _posted(story: Story, planned: Posting) -> bool:
    try:
        story.ledger.post(planned)
    except Moved:
        return False
    return True


def _at_once(action: Callable[[], Result]) -> list[Result]:
    barrier = Barrier(THREADS)

    def run(_: int) -> Result:
        barrier.wait()
        return action()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))

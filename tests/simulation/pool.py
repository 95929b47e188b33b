"""Processes that live many lives at a time."""

import multiprocessing
import os
from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from support.postgres import VARIABLE, server_dsn


@contextmanager
def pool(jobs: int | None, stores: Collection[str]) -> Iterator[ProcessPoolExecutor]:
    """Yield processes that start fresh, for lives on some of the `STORES`; they share one server."""
    dsn = server_dsn() if {"postgres", "pgbouncer"} & set(stores) else None
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawned, initializer=_know, initargs=(dsn,)) as processes:
        yield processes


def _know(dsn: str | None) -> None:
    if dsn is not None:
        os.environ[VARIABLE] = dsn

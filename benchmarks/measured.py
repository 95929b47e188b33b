"""What is measured, one round per process: `python measured.py NAME STORE ACCOUNTS` prints seconds.

A process loads what it measures and nothing else: other objects in memory cost time in every garbage
collection.
"""

import gc
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

HOMES = {
    "syncing": ("raw", "common", "busy", "everyday", "quiet", "memory"),
    "paging": ("bare_pages", "read_pages", "serve"),
    "outage": ("failing_run",),
    "idling": ("idle_cpu", "idle_memory"),
    "waiting": ("run_nothing_due", "run_selects"),
    "settling": ("raw_upserts", "settle", "recompute", "standing"),
    "serving": ("bare_summaries", "site_summaries", "serve_bare", "serve_site"),
    "searching": ("search", "indexed_select"),
    "merging": ("crowd_sync", "crowd_merge", "crowd_settle", "crowd_streaks"),
    "attending": ("questions", "by_list"),
    "company": (
        *("joined_awards", "raw_awards", "async_standings", "thread_selects", "async_blocked", "thread_blocked"),
    ),
    "asking": ("crowd_standing", "crowd_history", "crowd_month", "crowd_scan"),
}


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds the work takes."""
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Measure one thing once."""
    name, store, accounts = sys.argv[1:]
    (home,) = (home for home, names in HOMES.items() if name in names)
    measure = getattr(import_module(home), name)
    sys.stdout.write(f"{measure(Path(store), int(accounts))}\n")


if __name__ == "__main__":
    main()

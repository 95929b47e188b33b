"""Celery as the runner: beat asks every five minutes what is due, and whichever worker is free does it.

    export TRC_ENGAGE_STORE=… TRC_ENGAGE_GUILD_ID=… CELERY_BROKER_URL=…
    celery -A celery_app worker --pool solo
    celery -A celery_app beat

Run as many workers as you like, on any machines that reach the store: the store decides what is due, one worker does
it, and the others return `busy`. Nothing needs a retry: a slot that no run ended is still open when beat asks again,
and a missed slot costs nothing. With `--pool solo`, SIGTERM also stops a read in progress; a prefork pool is as exact,
but there Celery waits until the read is over.
"""

import logging
import os
from contextlib import ExitStack
from functools import cache
from typing import Any

from celery import Celery, signals
from celery.schedules import crontab

from trc_engage.entrypoints.settings import Settings
from trc_engage.entrypoints.wiring import Runner, opened_runner

EVERY_MINUTES = 5
"""Hits each quarter of an hour and 00:05 UTC, and soon takes over from a worker that was killed."""

app = Celery("trc_engage")
app.conf.update(
    timezone="UTC",
    beat_schedule={
        "run-due": {
            "task": "trc_engage.run_due",
            "schedule": crontab(minute=f"*/{EVERY_MINUTES}"),
            # If no worker has taken the task by then, the next one replaces it.
            "options": {"expires": EVERY_MINUTES * 60},
        }
    },
    # In a shared queue, another app's worker would discard the task.
    task_default_queue="trc-engage",
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)
held = ExitStack()


@app.task(name="trc_engage.run_due", acks_late=True)
def run_due() -> str:
    """Do what is due, once; the task fails if the store does."""
    return runner().engage.run_due().outcome


@cache
def runner() -> Runner:
    """Open the store, the source and the channels, once in each process that works."""
    return held.enter_context(opened_runner(Settings.from_mapping(os.environ)))


@signals.worker_shutting_down.connect
def give_up(**_: Any) -> None:
    """Cut off a read in progress: its slot stays open, and its lease is released."""
    if runner.cache_info().currsize:
        runner().stop()


@signals.worker_process_shutdown.connect
@signals.worker_shutdown.connect
def close(**_: Any) -> None:
    """Close what this process has opened."""
    held.close()


@signals.after_setup_logger.connect
def keep_ids_out_of_the_log(**_: Any) -> None:
    """Silence httpx, which logs the address of each request and with it the id of your Discord server."""
    logging.getLogger("httpx").setLevel(logging.WARNING)

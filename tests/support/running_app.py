"""The example app in a process of its own, and its clients."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread, Timer
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/embedded_app.py"
SECONDS_MAX = 60
PROMPT_SECONDS = 10
TRIES_MAX = 5_000

IMPATIENT = f"""
import runpy, sys, uvicorn
from datetime import UTC, datetime
from pathlib import Path
store, guild_id, base_url, clock_file = sys.argv[1:]
clock = lambda: datetime.fromisoformat(Path(clock_file).read_text()) if clock_file else datetime.now(UTC)
app_for = runpy.run_path({str(EXAMPLE)!r})["app_for"]
app = app_for(store, guild_id, clock=clock, base_url=base_url, page_gap=0)
uvicorn.run(app, port=0, access_log=False)
"""
"""The same app without the gap between requests: a server on loopback need not be spared."""


class App:
    """A process that serves the example app."""

    def __init__(self, *words: str, **variables: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRC_ENGAGE_")}
        environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "PORT": "0", **variables}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", *words], env=environment, stderr=subprocess.PIPE, text=True
        )
        self.told: list[str] = []
        self.url: str | None = None
        self._watchdog = Timer(SECONDS_MAX, self.process.kill)
        self._listens = Event()
        self._reader = Thread(target=self._listen)
        self._watchdog.start()
        self._reader.start()
        self._listens.wait()

    def _listen(self) -> None:
        for line in self.process.stderr or ():
            self.told.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                self.url = found[1]
                self._listens.set()
        self._listens.set()

    def client(self) -> httpx.Client:
        """Return a client for the app."""
        assert self.url, "".join(self.told)
        return httpx.Client(base_url=self.url, timeout=SECONDS_MAX, trust_env=False)

    def get(self, path: str) -> Any:
        """Return the JSON of the app's answer."""
        with self.client() as client:
            return client.get(path).raise_for_status().json()

    def send(self, method: str, path: str, **body: object) -> httpx.Response:
        """Return the app's response."""
        with self.client() as client:
            return client.request(method, path, json=body)

    def until(self, path: str, holds: Callable[[Any], object]) -> Any:
        """Return the app's answer once a condition holds, to wait for the upkeep in the background."""
        told = None
        with self.client() as client:
            for _ in range(TRIES_MAX):
                told = client.get(path).raise_for_status().json()
                if holds(told):
                    return told
        raise AssertionError(told)

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PROMPT_SECONDS)

    def end(self) -> None:
        """Kill it and release everything of it."""
        self.process.kill()
        self.process.wait()
        self._watchdog.cancel()
        self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()


@contextmanager
def running(*words: str, **variables: str) -> Iterator[App]:
    """Yield an app that listens, and assert afterwards that it logged no traceback."""
    app = App(*words, **variables)
    try:
        yield app
    finally:
        app.end()
    assert "Traceback" not in "".join(app.told)

"""A site on loopback that mounts the pages, once for each story they tell."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from support.community import Community
from support.hostile_names import HOSTILE_NAMES
from support.lives import half_year
from support.visitor import EARNINGS
from trc_engage import Engage
from trc_engage.entrypoints.web import create_app

WELL, AILING, HOSTILE = "/points", "/ailing", ("/hostile-0", "/hostile-1")
HALF = len(HOSTILE_NAMES) // 2
LISTENS_WITHIN_SECONDS = 30
T = TypeVar("T")


class _Server(uvicorn.Server):
    """A server that signals when it listens, and leaves signals to pytest."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = Event()

    async def startup(self, *args: Any, **options: Any) -> None:
        await super().startup(*args, **options)
        self.listens.set()

    @property
    def url(self) -> str:
        """The address on which it listens."""
        port = self.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"


@contextmanager
def served() -> Iterator[str]:
    """Serve all stories, and yield the address."""
    stories = apart(_stories)
    with listening(Starlette(routes=[Mount(path, _open(engage)) for path, engage in stories.items()])) as url:
        yield url


def apart(live: Callable[[], T]) -> T:
    """Live a story on a separate thread: Playwright runs an event loop on this one, where writes are refused."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(live).result()


@contextmanager
def listening(app: Starlette) -> Iterator[str]:
    """Serve an app, and yield its address."""
    server = _Server(uvicorn.Config(app, port=0, log_level="warning", ws="none", lifespan="off"))
    thread = Thread(target=server.run)
    thread.start()
    try:
        assert server.listens.wait(LISTENS_WITHIN_SECONDS)
        yield server.url
    finally:
        server.should_exit = True
        thread.join()


def _stories() -> dict[str, Engage]:
    """Live all stories, by the path at which they are shown."""
    stories = {WELL: half_year(), AILING: half_year(fails=True)}
    return stories | {path: named(HOSTILE_NAMES[half * HALF :][:HALF]) for half, path in enumerate(HOSTILE)}


def named(names: tuple[str, ...]) -> Engage:
    """Return a community of people with these names."""
    community = Community()
    for number, name in enumerate(names):
        community.engage.enroll(f"m-{number}", name=name)
        community.award(f"m-{number}", f"award:{number}", points=100 - number)
        text = "".join(char for char in name[:1_000] if char.isprintable()).strip() or "x"
        community.engage.adjust(f"m-{number}", points=1, key=f"fix:{number}", reason=text, by="me")
    return community.engage


def _open(engage: Engage) -> Starlette:
    return create_app(engage, may_see=lambda *_: True, may_administer=lambda _: True, earnings=EARNINGS)

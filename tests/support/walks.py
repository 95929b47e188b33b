"""The package's files that each walk enters: `python -m support.walks` in `tests` lists them.

`sys.setprofile` counts them in all threads, on a second, warm pass, without module bodies and without MEE6's stand-in.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import Factory, define

import trc_engage
from trc_engage import Engage
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server

from .command import Operator
from .visitor import AWARD, AWARDS, BEARER, Visitor, alone

PACKAGE = Path(trc_engage.__file__).parent
STAND_INS = PACKAGE / "testing"
IDS = {"ada": "80351110224678900", "bo": "80351110224678901"}


def files_of(walk: Callable[[], object]) -> set[str]:
    """Return the package's files that a walk enters."""
    codes: set[Any] = set()

    def note(frame: Any, event: str, _: object) -> None:
        if event == "call":
            codes.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        walk()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    paths = {Path(code.co_filename) for code in codes.copy() if code.co_name != "<module>"}
    ours = (path for path in paths if path.is_relative_to(PACKAGE) and not path.is_relative_to(STAND_INS))
    return {path.relative_to(PACKAGE).as_posix() for path in ours}


@define
class Scene:
    """A store with members who gain, the board that shows them, the command and the API."""

    server: Mee6Server
    engage: Engage
    operator: Operator
    visitor: Visitor
    awards: int = 0
    now: datetime = Factory(lambda: datetime.combine(datetime.now(UTC).date() - timedelta(days=1), time(12), UTC))
    """Earlier than the commands' clock, and far from midnight, at which a run would settle a day too."""

    def sync(self) -> None:
        """Sync by the library."""
        self._gain()
        assert self.engage.sync().gained == 2

    def run_due(self) -> None:
        """Do what is due by the library."""
        self._gain()
        assert self.engage.run_due().outcome == "synced"

    def award(self) -> None:
        """Award a benchmark over the API."""
        self.awards += 1
        answer = self.visitor.ask(
            "POST", AWARDS, headers=BEARER, json={**AWARD, "key": f"run:{self.awards}", "at": f"{self.now:%FT%TZ}"}
        )
        assert answer.status_code == 201, answer.text

    def explain(self) -> None:
        """Explain a member by the library."""
        today = self.now.date()
        assert self.engage.explain("ada", today - timedelta(days=14), today).days

    def type_sync(self) -> None:
        """Sync by the command."""
        self._gain()
        assert self.operator.call("sync", "--fresh").code == 0

    def type_explain(self) -> None:
        """Explain a member by the command."""
        assert self.operator.call("explain", "ada").code == 0

    def _gain(self) -> None:
        self.now += timedelta(minutes=15)
        for discord_id in IDS.values():
            self.server.board.give(discord_id, 250)


WALKS = ("sync", "run_due", "award", "explain", "type_sync", "type_explain")


@contextmanager
def opened(folder: Path) -> Iterator[Scene]:
    """Yield a scene."""
    with Mee6Server.start() as server:
        server.trouble("no_date")
        operator = Operator(folder, server)
        with (
            SqliteLedger.open(folder / "engage.db") as ledger,
            Mee6Source.open(server.guild_id, base_url=server.url, page_gap=0) as source,
        ):
            moment: list[Scene] = []
            engage = Engage(ledger=ledger, source=source, clock=lambda: moment[0].now)
            scene = Scene(server, engage, operator, alone(engage))
            moment.append(scene)
            for member_id, discord_id in IDS.items():
                server.board.join(discord_id, xp=1_000)
                engage.enroll(member_id, discord_id=discord_id)
            engage.sync()
            yield scene


def counted(scene: Scene) -> dict[str, set[str]]:
    """Return the files that each walk enters."""
    found = {}
    for name in WALKS:
        walk: Callable[[], None] = getattr(scene, name)
        walk()
        found[name] = files_of(walk)
    return found


def main() -> None:
    """List the files of each walk."""
    with TemporaryDirectory() as folder, opened(Path(folder)) as scene:
        for name, files in counted(scene).items():
            sys.stdout.write("\n    ".join([f"{name}: {len(files)}", *sorted(files)]) + "\n")


if __name__ == "__main__":
    main()

"""Where scenes are played: the victims' launcher, a board for them to read, and a store for each."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from support.community import IDS, NAMES
from trc_engage.testing.mee6 import Mee6Server

from .scenes import BACKUP, DAYS, NOW, STORE, XP_BEFORE, Scene, xp_of_a_day
from .soundness import contents, difference, facts, flaws, let_go
from .tracing import MUTATING, Call, Trace, once

XP_TODAY = 430
SECONDS_MAX = 60
FIRST_TOKEN, NEXT_TOKEN = "aa", "bb"
"""The token drawn by a victim that is traced, and by the one that comes after it."""


@frozen
class Ended:
    """How a victim ended, and what it wrote."""

    code: int
    told: str


@define
class Stage:
    """Plays scenes, one at a time."""

    folder: Path
    _server: Mee6Server
    _launcher: "subprocess.Popen[str]"
    _laid_out: dict[str, Path] = field(factory=dict)
    _expected: dict[str, str] = field(factory=dict)

    @property
    def output(self) -> Path:
        """The file to which a victim writes its output."""
        return self.folder / "output"

    def store_of(self, scene: Scene) -> Path:
        """Return a fresh copy of the store that the scene starts from, in a folder of its own."""
        if scene.name not in self._laid_out:
            found = self.folder / "laid out" / scene.name
            found.mkdir(parents=True)
            scene.lay_out(found / STORE)
            if scene.after:
                assert self.run(evolve(scene, commands=scene.after), found / STORE).code == 0
            if scene.is_killed_before:
                assert self.traced(scene, found / STORE, "ftruncate:signal=KILL:when=1")[0].code == -signal.SIGKILL
            self._laid_out[scene.name] = found
        folder = self.folder / "played"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._laid_out[scene.name], folder)
        return folder / STORE

    def run(self, scene: Scene, store: Path, trace: Trace | None = None) -> Ended:
        """Run a scene's commands on a store, traced if a trace is given."""
        self.output.write_text("")
        order = {
            "environ": {
                "TRC_ENGAGE_STORE": str(store),
                "TRC_ENGAGE_GUILD_ID": self._server.guild_id,
                "TRC_ENGAGE_MEE6_URL": self._server.url,
            },
            "output": str(self.output),
            "at": NOW.isoformat(),
            "is_newer": scene.is_newer,
            "token": NEXT_TOKEN if trace is None else FIRST_TOKEN,
            "commands": [[word.format(folder=store.parent) for word in words] for words in scene.commands],
        }
        pid = self._ask({"fork": order})["pid"]
        if trace is None:
            return Ended(self._ask({"go": None})["code"], self.output.read_text())
        with trace.attached(pid):
            return Ended(self._ask({"go": None})["code"], self.output.read_text())

    def traced(
        self, scene: Scene, store: Path, *inject: str, calls: Sequence[str] = MUTATING
    ) -> tuple[Ended, Sequence[Call]]:
        """Run a scene with something injected; return how it ended, and its calls on the store's files."""
        trace = Trace(files_of(store), self.folder / "log", calls, inject)
        return self.run(scene, store, trace), trace.read()

    def recorded(self, scene: Scene, store: Path) -> Sequence[Call]:
        """Run a scene; return its calls with everything that was written, including its output."""
        trace = Trace([*files_of(store), self.output], self.folder / "log", is_whole=True)
        ended = self.run(scene, store, trace)
        assert ended.code == 0, ended.told
        return trace.read()

    def calls(self, scene: Scene, calls: Sequence[str] = MUTATING) -> Sequence[Call]:
        """Return the calls of an undisturbed run."""
        ended, found = self.traced(scene, self.store_of(scene), calls=calls)
        assert ended.code == 0, ended.told
        return found

    def expected(self, scene: Scene) -> str:
        """Return what an undisturbed run leaves in the file that the scene makes."""
        if scene.name not in self._expected:
            store = self.store_of(scene)
            ended = self.run(scene, store)
            assert ended.code == 0, ended.told
            assert not flaws(store), flaws(store)
            self._expected[scene.name] = contents(store.with_name(scene.makes))
        return self._expected[scene.name]

    def has_happened(self, scene: Scene, store: Path) -> bool:
        """Return whether the scene's file matches an undisturbed run, leases and the next request's time aside."""
        made = self._copied(store).with_name(scene.makes)
        if not made.exists():
            return False
        let_go(made)
        return facts(contents(made)) == facts(self.expected(scene))

    def kill(self, scene: Scene, call: Call) -> None:
        """Kill a scene's victim as it enters a call, and play the scene again."""
        store = self.store_of(scene)
        ended, _ = self.traced(scene, store, *once(call, "signal=KILL"))
        assert ended.code == -signal.SIGKILL, ended
        self.run_again(scene, store)

    def run_again(self, scene: Scene, store: Path, seen: Callable[[str], str] = str) -> None:
        """Assert that the store is sound, and that running the commands again leaves what a single run would have left.

        `seen` selects what is compared.
        """
        found = flaws(self._copied(store))
        assert not found, found
        # A command that makes another file makes it only once, and refuses to overwrite it.
        if scene.makes == STORE or not store.with_name(scene.makes).exists():
            ended = self.run(scene, store)
            assert ended.code == 0, ended
        found = flaws(store)
        assert not found, found
        made, expected = contents(store.with_name(scene.makes)), self.expected(scene)
        assert seen(made) == seen(expected), difference(made, expected)

    def _copied(self, store: Path) -> Path:
        """Return a copy to inspect: opening a store that was left in mid-commit repairs it."""
        folder = self.folder / "looked at"
        shutil.rmtree(folder, ignore_errors=True)
        return shutil.copytree(store.parent, folder) / STORE

    def _ask(self, order: object) -> Any:
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._launcher.stdin.write(json.dumps(order) + "\n")
        self._launcher.stdin.flush()
        return json.loads(self._launcher.stdout.readline())


def files_of(store: Path) -> Sequence[Path]:
    """Return everything a traced victim may touch: the store, its backup, their journals, the folder."""
    stores = [store, store.with_name(BACKUP), store.with_name(f"{BACKUP}.{FIRST_TOKEN * 4}.part")]
    return [store.parent, *stores, *(path.with_name(f"{path.name}-journal") for path in stores)]


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Yield a stage with a board that shows what everyone has earned since the last sync."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TRC_ENGAGE_")}
    environ |= {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(folder), "COLUMNS": "100", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "crash.launcher"]
    with (
        Mee6Server.start(clock=lambda: NOW) as server,
        subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as launcher,
    ):
        for number, name in enumerate(NAMES):
            server.board.join(IDS[name], username=name, xp=XP_BEFORE + DAYS * xp_of_a_day(number) + XP_TODAY)
        yield Stage(folder, server, launcher)
        assert launcher.stdin is not None
        launcher.stdin.close()
        assert launcher.wait(SECONDS_MAX) == 0

"""The power is cut at every step of recorded sessions, and the disk keeps an arbitrary part of what was not synced."""

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
from attrs import define, field

from trc_engage import LedgerFailed

from .conftest import Figures
from .disk import Disk, Step, step_of
from .scenes import BACKUP, SESSIONS, STORE, Scene
from .soundness import contents, flaws
from .stage import Stage
from .tracing import AT

IMAGES = 8
"""How many images are made for each step of a session."""


@define
class Session:
    """A recording, the disk as it was before, and what the disk may hold after each step."""

    name: str
    folder: Path
    files: Mapping[str, bytes]
    steps: Sequence[Step]
    _known: dict[tuple[tuple[str, bytes], ...], Sequence[str]] = field(factory=dict)

    @classmethod
    def record(cls, stage: Stage, scene: Scene) -> "Session":
        """Play a scene and record it."""
        store = stage.store_of(scene)
        files = {str(path): path.read_bytes() for path in store.parent.iterdir()}
        steps = [step_of(call) for call in stage.recorded(scene, store)]
        assert sum(step.kind == "acknowledge" for step in steps) == len(scene.commands)
        return cls(scene.name, store.parent, files, steps)

    def cut(self, scratch: Path, images: int, *, heeds_syncs: bool = True) -> Counter[str]:
        """Cut the power at every step; count the images, and those that are not as promised."""
        told: Counter[str] = Counter()
        disk = Disk.of(self.folder, self.files, heeds_syncs=heeds_syncs)
        held, acknowledged = [self._held(disk, scratch)], 0
        for number, step in enumerate(self.steps, 1):
            disk.take(step)
            held.append(self._held(disk, scratch))
            if step.kind == "acknowledge":
                acknowledged = number
            for seed in picked([f"{self.name}:{number}:{image}" for image in range(images)]):
                told["images"] += 1
                if why := broken(disk.cut(Random(seed)), held[acknowledged:], scratch):
                    told[f"{why} at {seed}" if heeds_syncs else why] += 1
        return told

    def _held(self, disk: Disk, scratch: Path) -> Sequence[str]:
        """Return what the files hold while the power is on."""
        whole = disk.whole()
        known = tuple(sorted(whole.items()))
        if known not in self._known:
            self._known[known] = what_is_held(whole, scratch)
        return self._known[known]


def picked(seeds: Sequence[str]) -> Sequence[str]:
    """Return all seeds, or the one that the environment names."""
    return [seed for seed in seeds if os.environ.get(AT, seed) == seed]


def what_is_held(files: Mapping[str, bytes], scratch: Path) -> Sequence[str]:
    """Return what the store holds and, if there is one, its backup."""
    folder = laid_out(files, scratch)
    return [contents(folder / name) for name in (STORE, BACKUP) if name == STORE or name in files]


def broken(files: Mapping[str, bytes], allowed: Sequence[Sequence[str]], scratch: Path) -> str | None:
    """Return what is wrong with an image: damage, or a state that did not exist since the last acknowledgment."""
    try:
        if what_is_held(files, scratch) not in allowed:
            return "lost or made up"
        folder = laid_out(files, scratch)
        found = [flaw for name in (STORE, BACKUP) if (folder / name).exists() for flaw in flaws(folder / name)]
    except (sqlite3.DatabaseError, LedgerFailed):
        return "damaged"
    return "damaged" if found else None


def laid_out(files: Mapping[str, bytes], scratch: Path) -> Path:
    """Write an image's files to an empty folder."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    for name, content in files.items():
        (scratch / name).write_bytes(content)
    return scratch


@pytest.mark.parametrize("scene", SESSIONS, ids=lambda scene: scene.name)
def test_no_acknowledged_commit_is_lost(stage: Stage, figures: Figures, tmp_path: Path, scene: Scene) -> None:
    """After a power loss the disk holds a sound state from between the last acknowledged command and the cut."""
    session = Session.record(stage, scene)
    with figures.counting("images of a power loss") as numbers:
        told = session.cut(tmp_path / "disk", IMAGES)
        numbers["images of a power loss"] += told["images"]
    wrong = {what: number for what, number in told.items() if what != "images"}
    again = f"again: {AT}={scene.name}:STEP:IMAGE tox -e crash -- tests/crash/power_loss.py -k {scene.name}"
    assert wrong == {}, again


@pytest.mark.parametrize("scene", SESSIONS[:1], ids=lambda scene: scene.name)
def test_a_disk_that_forgets_syncs_is_found_out(stage: Stage, tmp_path: Path, scene: Scene) -> None:
    """Images of a disk that ignores syncs are often damaged or lack commits, so the test can detect a missing sync."""
    told = Session.record(stage, scene).cut(tmp_path / "disk", 2, heeds_syncs=False)
    assert told["damaged"] > told["images"] // 10
    assert told["lost or made up"] > told["images"] // 10

"""A disk of 512 KiB that is full, or nearly full."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from trc_engage.entrypoints.cli.options import STORE_FAILED

from .conftest import Figures
from .scenes import SCENES, STORE, Scene, three_days
from .soundness import contents, flaws
from .stage import Stage

DISK_KIB = 512
ROOMS_KIB = (*range(0, 64, 4), *range(64, 320, 16))
"""How much is left free on the disk."""
MANY = 400


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(disk: Path, but_kib: int) -> Path:
    """Leave only this much free; return the file that takes up the rest."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free
    ballast.write_bytes(bytes(max(0, free - but_kib * 1024)))
    return ballast


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_nearly_full(stage: Stage, figures: Figures, disk: Path, scene: Scene) -> None:
    """With any amount of free space a command succeeds or reports a full disk, and with more space it is exact."""
    codes = set()
    with figures.counting("disks nearly full") as numbers:
        for room in ROOMS_KIB:
            store = disk / "store" / STORE
            shutil.rmtree(store.parent, ignore_errors=True)
            shutil.copytree(stage.store_of(scene).parent, store.parent)
            ballast = fill(disk, room)
            ended = stage.run(scene, store)
            codes.add(ended.code)
            assert ended.code in {0, STORE_FAILED}, ended.told
            assert ended.code == 0 or re.search(r"free space|with space", ended.told), ended.told
            ballast.unlink()
            stage.run_again(scene, store)
            numbers["disks nearly full"] += 1
    # A journal that is rolled back leaves its space to the next one.
    assert codes == ({0} if scene.is_killed_before else {0, STORE_FAILED})


def test_filled_by_awards(stage: Stage, disk: Path) -> None:
    """A store that fills the disk holds every award that was acknowledged before, and nothing else."""
    awards = [("award", "ada", "--source", "download", "--points", "1", "--key", f"{number}") for number in range(MANY)]
    scene = Scene("many-awards", awards, three_days)
    store = Path(shutil.copy(stage.store_of(scene), disk))
    ballast = fill(disk, 64)
    ended = stage.run(scene, store)
    acknowledged = ended.told.count("acknowledged: ")
    assert ended.code == STORE_FAILED
    assert 0 < acknowledged < MANY
    ballast.unlink()
    assert flaws(store) == []
    assert contents(store).count("'download',1,") == acknowledged
    assert stage.run(scene, store).code == 0
    assert contents(store) == stage.expected(scene)

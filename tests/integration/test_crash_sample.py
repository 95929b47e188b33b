"""A sample of the crash tests; `tox -e crash` runs all of them (R19)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crash import tracing
from crash.power_loss import Session
from crash.scenes import SCENES, SESSIONS, Scene
from crash.stage import Stage, staged

EVERY = 7
SMALL = [scene for scene in SCENES if scene.name != "sync"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Yield a stage, or skip the test if this machine cannot trace processes."""
    if why := tracing.why_not():
        pytest.skip(why)
    with staged(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.mark.parametrize("scene", SMALL, ids=lambda scene: scene.name)
def test_killed_at_every_seventh_call(stage: Stage, scene: Scene) -> None:
    """After a command is killed at any tested call, the store is sound, and the same command again leaves it exact."""
    first = SMALL.index(scene) % EVERY
    for call in stage.calls(scene)[first::EVERY]:
        with tracing.at(call, f"tests/crash/kills.py -k {scene.name}"):
            stage.kill(scene, call)


@pytest.mark.parametrize("scene", SESSIONS[2:3], ids=lambda scene: scene.name)
def test_a_power_loss_at_every_step(stage: Stage, tmp_path: Path, scene: Scene) -> None:
    """After a power loss at any step, the image of the disk has everything that was acknowledged."""
    told = Session.record(stage, scene).cut(tmp_path / "disk", 1)
    assert told.keys() == {"images"}

"""SIGKILL at every mutating system call (R19)."""

import pytest

from . import tracing
from .conftest import Figures
from .scenes import SCENES, Scene
from .stage import Stage


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_killed(stage: Stage, figures: Figures, scene: Scene) -> None:
    """A command may be killed at any call: the store stays sound, and running the command again leaves it exact."""
    with figures.counting("kill points") as numbers:
        for call in tracing.picked(stage.calls(scene)):
            with tracing.at(call, f"tests/crash/kills.py -k {scene.name}"):
                stage.kill(scene, call)
            numbers["kill points"] += 1

"""ENOSPC, EIO and EMFILE at every call, once and for good (R19)."""

from collections.abc import Sequence

import pytest

from trc_engage.entrypoints.cli.options import BUSY, STORE_FAILED

from . import tracing
from .conftest import Figures
from .scenes import SCENES, Scene
from .soundness import facts
from .stage import Stage
from .tracing import MUTATING, READING

NOTHING = "nothing was written"


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
@pytest.mark.parametrize("lasting", ["once", "for-good"])
@pytest.mark.parametrize(
    ("error", "kinds"), [("ENOSPC", "writing"), ("EIO", "writing"), ("EIO", "reading"), ("EMFILE", "opening")]
)
def test_fault(stage: Stage, figures: Figures, scene: Scene, error: str, kinds: str, lasting: str) -> None:
    """A failing call ends a command with one line and code 74 or 75, loses nothing, and the same command then works."""
    traced = READING if kinds == "reading" else MUTATING
    calls = [call for call in stage.calls(scene, traced) if kinds != "opening" or call.opens]
    what = f"error={error}"
    with figures.counting("errors injected") as numbers:
        for call in tracing.picked(calls):
            inject = tracing.once(call, what) if lasting == "once" else tracing.for_good(call, calls, what)
            with tracing.at(call, f"tests/crash/faults.py -k '{error} and {kinds} and {lasting} and {scene.name}'"):
                fail(stage, scene, inject, traced)
            numbers["errors injected"] += 1


def fail(stage: Stage, scene: Scene, inject: Sequence[str], calls: Sequence[str]) -> None:
    """Play a scene on a failing disk, and again on a healthy one."""
    store = stage.store_of(scene)
    ended, _ = stage.traced(scene, store, *inject, calls=calls)
    if ended.code == 0:
        # SQLite can do without some calls: changing the owner of a journal, syncing the folder.
        assert stage.has_happened(scene, store)
        stage.run_again(scene, store, facts)
    else:
        assert ended.code in {STORE_FAILED, BUSY}
        *created, line = ended.told.splitlines()
        # What is printed before the error is true: the store was created, and what came next failed.
        assert created in ([], [f"created a store at {store}"])
        assert line.startswith("trc-engage: ")
        assert str(store.parent) in line
        assert "Error" not in line
        assert "[Errno" not in line
        assert not (NOTHING in line and stage.has_happened(scene, store))
        stage.run_again(scene, store)

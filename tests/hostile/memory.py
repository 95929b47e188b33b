"""The peak memory of a block, as the kernel counts it."""

import re
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


class Peak:
    """Measures from its creation on; without Linux it reports no growth."""

    def __init__(self) -> None:
        self._before = 0
        if _CLEAR_REFS.exists():
            _CLEAR_REFS.write_text(_RESET_PEAK)
            self._before = _resident("VmRSS")

    def growth(self) -> int:
        """Return by how many bytes the process's peak exceeds its size at the beginning."""
        return _resident("VmHWM") - self._before if _CLEAR_REFS.exists() else 0


def _resident(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024

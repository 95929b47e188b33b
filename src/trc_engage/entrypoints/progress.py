"""A bar while a long read lasts, for whoever watches."""

from types import TracebackType
from typing import Any, Self, TextIO

PAGES_UNTOLD = 1
"""A read this short is over before a bar would help."""


class Progress:
    """Called with pages and rows read so far; shows them if the stream is a terminal.

    A bar without an end: MEE6 tells no total.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, pages: int, rows: int) -> None:
        """Take note of a page."""
        if pages <= PAGES_UNTOLD or not self._stream.isatty():
            return
        if self._bar is None:
            self._bar = _bar(self._stream)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], description=f"reading the board: {rows:,} rows, {pages:,} pages")


def _bar(stream: TextIO) -> Any:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = Bar(*columns, console=Console(file=stream), transient=True)
    bar.add_task("", total=None)
    return bar

"""A terminal, for what is written to one."""

import os
from contextlib import suppress


def read_out(terminal: int) -> str:
    """Return all that was written to a terminal whose other side is closed, and close it; it comes in pieces."""
    written = b""
    # Linux says by an error that nothing more will come.
    with suppress(OSError):
        while piece := os.read(terminal, 65_536):
            written += piece
    os.close(terminal)
    return written.decode().replace("\r\n", "\n")

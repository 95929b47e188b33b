"""Reading what was written to a terminal."""

import os
from contextlib import suppress


def read_out(terminal: int) -> str:
    """Read all that was written to a terminal whose other side is closed, in however many pieces, and close it."""
    written = b""
    # Linux reports the end by an error.
    with suppress(OSError):
        while piece := os.read(terminal, 65_536):
            written += piece
    os.close(terminal)
    return written.decode().replace("\r\n", "\n")

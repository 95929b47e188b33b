"""Who holds a lease: a random name, with what proves later that its process has ended."""

import os
import secrets
import socket
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

PROC = Path("/proc")
UNKNOWN = ""
START_FIELD = 19
"""Where the kernel tells when a process started, after its name."""


def new_owner() -> str:
    """Return a name that nobody else ever has, as host:process:token."""
    pid = os.getpid()
    token = ".".join([secrets.token_hex(8), _place(), _started(pid)])
    return f"{socket.gethostname()}:{pid}:{token}"


def has_ended(owner: str) -> bool:
    """Return whether a process is known to have ended.

    Only its own namespace can tell: elsewhere another process has its number, or nobody, while it lives.
    """
    host, pid, token = owner.rsplit(":", 2)
    _, _, rest = token.partition(".")
    place, _, started = rest.partition(".")
    if host != socket.gethostname() or UNKNOWN in (place, started) or place != _place() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    # The number may have been given again; a service may not see when processes of others started.
    return _started(int(pid)) not in {started, UNKNOWN}


def _place() -> str:
    """Return what stands for this boot of the kernel and this namespace of processes; empty where nobody tells."""
    with suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text()
        return sha256(f"{boot}{(PROC / 'self/ns/pid').stat().st_ino}".encode()).hexdigest()[:8]
    return UNKNOWN


def _started(pid: int) -> str:
    """Return when a process started, in ticks of the kernel; empty if there is none."""
    with suppress(OSError):
        return (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[START_FIELD]
    return UNKNOWN

"""Forked child processes, whose exit codes tell how they ended."""

import os
import signal
import traceback
from collections.abc import Callable

SECONDS_MAX = 60


def forked(act: Callable[[], object]) -> int:
    """Fork a child that performs an action, and return its process id."""
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS_MAX)
    try:
        act()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def ended(pid: int) -> int:
    """Wait for a child and return its exit code; 0 means success."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

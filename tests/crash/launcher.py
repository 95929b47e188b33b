"""The process that the victims are forked from: it loads everything once, and runs one victim at a time.

It reads one JSON object per line: `{"fork": {…}}` is answered by `{"pid": …}`, and that process waits; then
`{"go": null}` is answered by `{"code": …}` once it has ended.
"""

import ctypes
import json
import os
import random
import secrets
import signal
import sys
from contextlib import nullcontext
from datetime import datetime
from importlib import import_module
from typing import Any

import time_machine

from crash.newer import newer_version
from trc_engage.adapters.boards.client import Line

PR_SET_PDEATHSIG, PR_SET_PTRACER, ANYBODY = 1, 0x59616D61, -1
ACKNOWLEDGED = "acknowledged: {}\n"


def load() -> None:
    """Import what the commands import."""
    cli = import_module("trc_engage.entrypoints.cli")
    for word in ("sync", "award", "settle", "members", "backup"):
        import_module(f"{cli.__name__}.{cli.MODULES[word]}")
    for name in ("engage", "adapters.mee6", "adapters.sqlite.ledger", "adapters.sqlite.schema"):
        import_module(f"trc_engage.{name}")


def fork(order: dict[str, Any], gate: tuple[int, int]) -> int:
    """Fork a victim that waits at the gate, and return its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = be(order, gate)
    finally:
        os._exit(code)


def be(order: dict[str, Any], gate: tuple[int, int]) -> int:
    """Run commands, acknowledging each, and return the exit code of the last. Time and randomness follow the order."""
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(order["environ"])
    secrets.token_hex = lambda nbytes=None: str(order["token"]) * (nbytes or 1)
    # The pause between requests is drawn at random and stored; the pause itself is skipped, since time stands still.
    Line.pause = lambda self, seconds: None  # type: ignore[method-assign]  # noqa: ARG005
    random.SystemRandom.random = lambda self: 0.5  # type: ignore[method-assign]  # noqa: ARG005
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # Under Yama only a parent may trace, and strace is not the parent.
    prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
    os.read(gate[0], 1)
    newer = newer_version() if order["is_newer"] else nullcontext()
    with newer, time_machine.travel(datetime.fromisoformat(order["at"]), tick=False):
        for number, words in enumerate(order["commands"]):
            if code := run(words):
                return code
            os.write(1, ACKNOWLEDGED.format(number).encode())
    return 0


def run(words: list[str]) -> int:
    """Run one command and return its exit code."""
    from trc_engage.entrypoints.cli import main  # noqa: PLC0415

    sys.argv = ["trc-engage", *words]
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def serve() -> None:
    """Take orders until there are no more."""
    gate = os.pipe()
    load()
    pid = 0
    for line in sys.stdin:
        order = json.loads(line)
        if "fork" in order:
            pid = fork(order["fork"], gate)
            answer = {"pid": pid}
        else:
            os.write(gate[1], b"!")
            answer = {"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()

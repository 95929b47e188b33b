"""`trc-engage` as an operator runs it: with its own environment, in a separate process or, quicker, in this one."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

from attrs import frozen
from typer.testing import CliRunner

import trc_engage
from trc_engage.entrypoints.cli import app
from trc_engage.testing.mee6 import Mee6Server

PACKAGE = Path(trc_engage.__file__).parent
COMMAND = [sys.executable, "-W", "error", "-m", "trc_engage"]
TIMEOUT_SECONDS = 60
FOREIGN = dict.fromkeys(name for name in os.environ if name.startswith("TRC_ENGAGE_"))
"""The settings of the developer who runs the tests; a command that runs in this process must not see them."""
ADA, GRACE = "80351110224678912", "80351110224678913"


@frozen
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The single line of JSON on stdout, parsed."""
        (line,) = self.out.splitlines()
        return json.loads(line)


class Operator:
    """Runs commands in a folder with its own store and settings."""

    def __init__(self, folder: Path, server: Mee6Server | None = None) -> None:
        self.folder = folder
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PACKAGE.parent),
            "HOME": str(folder),
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "TERM": "dumb",
            "PYTHONUTF8": "1",
            "TRC_ENGAGE_STORE": str(folder / "engage.db"),
        }
        if server is not None:
            self.env |= {"TRC_ENGAGE_GUILD_ID": server.guild_id, "TRC_ENGAGE_MEE6_URL": server.url}

    def call(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run a command in this process, for tests that would gain nothing from a separate one."""
        with chdir(self.folder):
            own = {**FOREIGN, **self.env, **(env or {})}
            result = CliRunner().invoke(app, arguments, prog_name="trc-engage", env=own)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run a command in a separate process until it ends."""
        ended = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return Ran(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
        """Start a command that the test must end."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=stdin,
            text=True,
        )

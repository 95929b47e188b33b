"""The daemon and the commands of a life: each is a process, and all use the same clock."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from attrs import define, field

from support.command import Ran
from support.versions import PRESENT

from .process import AT_REST

MEMORY_DISK = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
"""Where a life takes place: waiting for a disk some 900 times a day would take longer than everything else."""
TESTS = Path(__file__).parent.parent
TIMEOUT_SECONDS = 600
TOLD_LINES = 20


@define
class Machine:
    """A folder with a store, the settings, and the version that is installed."""

    folder: Path
    env: dict[str, str]
    version: Path = PRESENT
    _daemon: "subprocess.Popen[str] | None" = field(default=None, init=False)

    @property
    def clock_file(self) -> Path:
        """The file that holds the time."""
        return self.folder / "clock"

    @property
    def store(self) -> Path:
        """The file of the store."""
        return self.folder / "engage.db"

    @property
    def log(self) -> Path:
        """The file of the daemon's log."""
        return self.folder / "daemon.log"

    def run(self, *words: str, code: int = 0) -> Ran:
        """Run a command until it ends, which must be with this exit code."""
        ended = subprocess.run(
            [*self._command, *words], env=self._environ, capture_output=True, timeout=TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL, check=False, cwd=self.folder,
        )  # fmt: skip
        ran = Ran(ended.returncode, ended.stdout.decode(), ended.stderr.decode())
        assert ran.code == code, (words, ran)
        return ran

    def start(self) -> None:
        """Start the daemon, and wait until it is idle."""
        with self.log.open("a") as log:
            self._daemon = subprocess.Popen(
                [*self._command, "daemon"], env=self._environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, text=True, cwd=self.folder,
            )  # fmt: skip
        self._rest()

    def live_until(self, at: datetime) -> None:
        """Let the daemon live until an instant."""
        assert self._daemon is not None
        assert self._daemon.stdin is not None
        self._daemon.stdin.write(f"{at.isoformat()}\n")
        self._daemon.stdin.flush()
        self._rest()

    def stop(self) -> None:
        """Stop the daemon by SIGTERM, as systemd does."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGTERM)
        self._daemon.communicate(timeout=TIMEOUT_SECONDS)
        assert self._daemon.returncode == 0, self._told()
        self._daemon = None

    def kill(self) -> None:
        """Kill the daemon if it still runs."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.communicate(timeout=TIMEOUT_SECONDS)

    @property
    def memory_bytes(self) -> int:
        """How much memory the daemon uses (RSS)."""
        return int(self._of_process("status")["VmRSS"].split()[0]) * 1024

    @property
    def handles(self) -> int:
        """How many files and threads the daemon has open."""
        assert self._daemon is not None
        files = len([*Path(f"/proc/{self._daemon.pid}/fd").iterdir()])
        return files + int(self._of_process("status")["Threads"])

    def _of_process(self, name: str) -> Mapping[str, str]:
        assert self._daemon is not None
        lines = Path(f"/proc/{self._daemon.pid}/{name}").read_text().splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}

    def _rest(self) -> None:
        assert self._daemon is not None
        assert self._daemon.stdout is not None
        assert self._daemon.stdout.readline().strip() == AT_REST, self._told()

    def _told(self) -> list[str]:
        return self.log.read_text().splitlines()[-TOLD_LINES:]

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "year.process", str(self.clock_file)]

    @property
    def _environ(self) -> Mapping[str, str]:
        return {**self.env, "PYTHONPATH": f"{self.version}:{TESTS}"}

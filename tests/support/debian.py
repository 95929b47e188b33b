"""Debian programs that tests talk to: installed ones, or unpacked from their packages without installing them."""

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest
from attrs import frozen

FOLDER = Path(tempfile.gettempdir()) / f"engage-debian-{os.getuid()}"
"""Kept between runs, so that each package is downloaded only once."""
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu")


@frozen
class Program:
    """A program, and the environment variables that its process needs."""

    path: Path
    environ: dict[str, str]


@cache
def program(name: str, *packages: str) -> Program:
    """Return a Debian program; if it cannot be had, skip the test, or fail it in CI."""
    if found := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"):
        return Program(Path(found), {})
    root = FOLDER / "-".join([name, *packages])
    try:
        if not root.exists():
            _unpack(root, packages or (name,))
        (path,) = root.glob(f"usr/*bin/{name}")
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        message = f"{name} is not installed and cannot be had from Debian's packages ({error}): apt-get install {name}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    libraries = [str(root / folder) for folder in LIBRARIES if (root / folder).is_dir()]
    return Program(path, {"LD_LIBRARY_PATH": ":".join(libraries)})


def nginx() -> Program:
    """Return nginx."""
    return program("nginx", "nginx", "nginx-common")


def caddy() -> Program:
    """Return Caddy."""
    return program("caddy")


def pgbouncer() -> Program:
    """Return PgBouncer, with the libraries it needs."""
    return program("pgbouncer", "pgbouncer", "libc-ares2", "libevent-2.1-7")


def _unpack(root: Path, packages: tuple[str, ...]) -> None:
    """Download packages with package lists of our own, so that the machine's lists are neither updated nor changed."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        for part in ("lists/partial", "cache/archives/partial", "debs", "root"):
            (folder / part).mkdir(parents=True)
        own = (
            *("-o", f"Dir::State::lists={folder / 'lists'}", "-o", f"Dir::Cache={folder / 'cache'}"),
            *("-o", "APT::Sandbox::User=root"),
        )
        _run("apt-get", *own, "update", folder=folder / "debs")
        _run("apt-get", *own, "download", *packages, folder=folder / "debs")
        for package in sorted((folder / "debs").glob("*.deb")):
            _run("dpkg", "-x", str(package), str(folder / "root"), folder=folder)
        try:
            (folder / "root").rename(root)
        except OSError:
            # Another process was quicker.
            if not root.is_dir():
                raise


def _run(*words: str, folder: Path) -> None:
    subprocess.run(words, cwd=folder, check=True, timeout=300, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

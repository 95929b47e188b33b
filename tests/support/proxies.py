"""Real proxies before a site, which they reach over loopback; clients reach the proxies over a Unix socket."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from .debian import Program, caddy, nginx

SECONDS_MAX = 30
HOST = "club.example"
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen unix:{folder}/front.sock; {locations} }}
}}
"""
CADDY = "{{\nadmin off\nauto_https off\n}}\n{site}"


@contextmanager
def behind_nginx(folder: Path, locations: str) -> Iterator[httpx.Client]:
    """Yield a client of an nginx whose server has these locations."""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, locations=locations))
    options = ["-e", f"{folder}/error.log", "-p", str(folder), "-c", "nginx.conf"]
    with _running(nginx(), options, folder) as client:
        yield client


@contextmanager
def behind_caddy(folder: Path, site: str) -> Iterator[httpx.Client]:
    """Yield a client of a Caddy that serves a host's site without TLS."""
    own = f"http://{HOST} {{\nbind unix/{folder}/front.sock"
    (folder / "Caddyfile").write_text(CADDY.format(site=site.replace(f"{HOST} {{", own)))
    with _running(caddy(), ["run", "--config", "Caddyfile"], folder) as client:
        yield client


@contextmanager
def _running(program: Program, options: list[str], folder: Path) -> Iterator[httpx.Client]:
    environ = {**program.environ, "HOME": str(folder)}
    process = subprocess.Popen([program.path, *options], env=environ, cwd=folder, stderr=subprocess.DEVNULL)
    front = f"{folder}/front.sock"
    try:
        _wait(front, process)
        with httpx.Client(transport=httpx.HTTPTransport(uds=front), base_url=f"http://{HOST}") as client:
            yield client
    finally:
        process.terminate()
        process.wait(SECONDS_MAX)


def _wait(front: str, process: "subprocess.Popen[bytes]") -> None:
    """Return once it listens."""
    for _ in range(SECONDS_MAX * 20):
        with socket.socket(socket.AF_UNIX) as trial:
            if trial.connect_ex(front) == 0:
                return
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"it ended with {process.wait(0.05)}")
    raise AssertionError("it does not listen")

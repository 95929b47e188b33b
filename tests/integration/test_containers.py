"""The image and what runs from it, as far as they can be checked without a container."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from support.command import Operator
from trc_engage.entrypoints.cli import app
from trc_engage.entrypoints.cli.web import _hook
from trc_engage.entrypoints.settings import PostgresUrl, Settings

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "examples/kubernetes"
LINES = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()
STEPS = [tuple(line.split(" ", 1)) for line in LINES if line and not line.startswith("#")]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = ("init", "daemon", "web")
PASSWORD = "-".join(["letters", "and", "digits"])


def last(word: str) -> str:
    """Return the arguments of the Dockerfile's last step of a kind."""
    return [rest for name, rest in STEPS if name == word][-1]


def filled(value: Any) -> Any:
    """Return a value in which the variables that compose takes from `.env` are filled in."""
    text = re.sub(r"\$\{POSTGRES_PASSWORD:\?[^}]+\}", PASSWORD, json.dumps(value))
    assert "${" not in text
    return json.loads(text)


def test_the_image_is_slim_nobodys_and_starts_the_daemon() -> None:
    """The image is slim, runs the daemon as an unprivileged user, and has a health check."""
    bases = {rest.split(" ")[0] for name, rest in STEPS if name == "FROM"}
    assert bases == {"${PYTHON}"}
    assert re.fullmatch(r"PYTHON=python:3\.\d+-slim", last("ARG"))
    assert last("USER") == "65532:65532"
    assert json.loads(last("ENTRYPOINT")) == ["trc-engage"]
    assert json.loads(last("CMD")) == ["daemon"]
    assert json.loads(last("HEALTHCHECK").partition(" CMD ")[2]) == ["trc-engage", "status"]
    assert last("WORKDIR").startswith("/")
    assert not [rest for name, rest in STEPS if name in {"ADD", "MAINTAINER"} or re.search(r"sudo|:latest|curl ", rest)]


def test_the_image_is_built_from_the_constraints_with_the_extras() -> None:
    """The image installs the pinned versions, so that it is the same when it is built again."""
    (install,) = (rest for name, rest in STEPS if name == "RUN" and "pip install" in rest)
    assert "--constraint constraints.txt '.[web,postgres,metrics]'" in install


def test_what_the_image_copies_is_not_ignored() -> None:
    """Only what the image copies is sent to the builder, and no store or env file is."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    kept = {line[1:] for line in lines if line.startswith("!")}
    copied = [word for name, rest in STEPS if name == "COPY" and "--from" not in rest for word in rest.split()[:-1]]
    assert kept == set(copied)
    assert all((ROOT / path).exists() for path in copied)
    assert not [path for path in kept if fnmatch(path, "*.env") or fnmatch(path, "*.db")]


def test_a_store_without_a_name_is_in_the_images_volume(tmp_path: Path) -> None:
    """Without an address in the settings, the store is in the image's volume, which its user owns."""
    (folder,) = json.loads(last("VOLUME"))
    environ = dict(pair.split("=", 1) for pair in last("ENV").split())
    operator = Operator(tmp_path)
    operator.env |= {"TRC_ENGAGE_STORE": "", "XDG_DATA_HOME": environ["XDG_DATA_HOME"]}
    (store, *_) = operator.run("settings", "--json").json["settings"]
    assert store["value"] == f"{folder}/engage.db"
    assert any(f"-o 65532 -g 65532 {folder}" in rest for name, rest in STEPS if name == "RUN")


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_runs_one_image_with_one_store_and_may_do_little(name: str) -> None:
    """Each service runs an existing command on the same store, with a read-only disk and no capabilities."""
    service = filled(COMPOSE["services"][name])
    assert service["command"][0] in get_command(app).list_commands(None)  # type: ignore[attr-defined]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    environ = service["environment"]
    assert Settings.from_mapping(environ).store == PostgresUrl(f"postgresql://engage:{PASSWORD}@postgres/engage")
    assert environ["TRC_ENGAGE_ENV_FILE"] == "/run/secrets/settings"
    assert service["secrets"] == ["settings"]


def test_nothing_starts_before_the_store_is_there() -> None:
    """`init` waits until the database is healthy, and the other services wait until `init` has succeeded."""
    services = COMPOSE["services"]
    assert services["init"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("daemon", "web", "backup"):
        assert services[name]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    assert services["init"]["restart"] == "no"


def test_the_web_app_is_published_to_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The web app is published on the loopback address only, and its hook lets no visitor see a member."""
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"]["web"]["ports"])
    command = COMPOSE["services"]["web"]["command"]
    (tmp_path / "access.py").write_text(COMPOSE["configs"]["access"]["content"])
    monkeypatch.syspath_prepend(tmp_path)
    assert _hook(command[command.index("--may-see") + 1])(None, "m-1") is False


def test_kubernetes_runs_the_same_image() -> None:
    """Kubernetes, compose, the Dockerfile and the README use the same name for the image."""
    images = {COMPOSE["x-engage"]["image"]}
    for path in ("cronjob.yaml", "deployment.yaml"):
        images |= set(re.findall(r"image: (\S+)", (KUBERNETES / path).read_text()))
    (image,) = images
    assert LINES[0] == f"# docker build -t {image} ."
    assert f"docker build -t {image} ." in (KUBERNETES / "README.md").read_text()

"""The Kubernetes examples: their values agree with the code, and their commands run as they are written."""

import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from support.attended import ENDS_WITHIN_SECONDS, IDS, manned
from support.command import COMMAND, Operator
from support.running_app import ROOT
from support.stores import addressed, made
from trc_engage.entrypoints.cli.options import NOT_HEALTHY
from trc_engage.entrypoints.daemon.loop import HUNG_AFTER_SECONDS
from trc_engage.entrypoints.settings import PostgresUrl, Settings
from trc_engage.entrypoints.wiring import opened
from trc_engage.testing.mee6 import Mee6Server

KUBERNETES = ROOT / "examples/kubernetes"
VALUES = {
    "TRC_ENGAGE_GUILD_ID": "1",
    "TRC_ENGAGE_MEE6_TOKEN": "token",
    "TRC_ENGAGE_ALERT_WEBHOOK": "https://discord.com/api/webhooks/1/x",
    "SENTRY_DSN": "https://key@sentry.example/1",
}
WORKLOADS = ("cronjob.yaml", "deployment.yaml")


def manifest(name: str) -> Any:
    """Return the only object in a file."""
    return yaml.safe_load((KUBERNETES / name).read_text())


def pod(name: str) -> Any:
    """Return the spec of a workload's pods."""
    spec = manifest(name)["spec"]
    return spec.get("jobTemplate", manifest(name))["spec"]["template"]["spec"]


def container(name: str) -> Any:
    """Return the only container of a workload's pods."""
    (one,) = pod(name)["containers"]
    return one


def command(name: str) -> list[str]:
    """Return a workload's command, with this machine's program."""
    program, *words = container(name)["command"]
    assert program == "trc-engage"
    return [*COMMAND, *words]


@pytest.mark.parametrize("name", [*WORKLOADS, "settings.yaml"])
def test_a_cluster_takes_it(name: str) -> None:
    """Each manifest is valid under the published schema of its kind, which refuses unknown fields."""
    newest = kubernetes_validate.latest_version()
    kubernetes_validate.validate(manifest(name), newest, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest(name) | {"metadat": {}}, newest, strict=True)


def test_the_settings_are_known() -> None:
    """Each variable of the Secret changes a setting once it has a value, and both workloads are given the Secret."""
    secret = manifest("settings.yaml")
    environ = secret["stringData"]
    store = Settings.from_mapping(environ).store
    assert isinstance(store, PostgresUrl)
    assert Settings.from_mapping(environ) == Settings(store=store)
    assert environ.keys() == VALUES.keys() | {"TRC_ENGAGE_STORE"}
    plain = Settings.from_mapping({})
    for variable, value in VALUES.items():
        assert Settings.from_mapping({variable: value}) != plain
    for name in WORKLOADS:
        assert container(name)["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}]


def test_the_cronjobs_command_does_what_is_due(tmp_path: Path) -> None:
    """The CronJob's command syncs a PostgreSQL store with only the variables that the Secret sets."""
    with addressed("postgres", tmp_path) as store, Mee6Server.start() as server:
        operator = Operator(tmp_path, server)
        environ = dict.fromkeys(manifest("settings.yaml")["stringData"], "")
        environ |= {"TRC_ENGAGE_STORE": store, "TRC_ENGAGE_GUILD_ID": server.guild_id}
        settings = Settings.from_mapping(environ)
        made(settings)
        with opened(settings) as engage:
            for member_id, discord_id in IDS.items():
                server.board.join(discord_id, xp=1_000)
                engage.enroll(member_id, discord_id=discord_id)
        # Only the address of the server is the test's own.
        environ |= {name: operator.env[name] for name in ("PATH", "PYTHONPATH", "TRC_ENGAGE_MEE6_URL")}
        ran = subprocess.run(
            command("cronjob.yaml"), env=environ, cwd="/", capture_output=True, text=True, timeout=60, check=False
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        with opened(settings) as engage:
            assert [entry.kind for entry in engage.feed()] == ["opening"] * len(IDS)


def test_the_cronjob_hits_every_slot_and_the_settlement() -> None:
    """The CronJob runs every five minutes, one run at a time, and ends none that could still end by itself."""
    spec = manifest("cronjob.yaml")["spec"]
    minutes, *others = spec["schedule"].split()
    assert (minutes, others) == ("*/5", ["*"] * 4)
    assert spec["concurrencyPolicy"] == "Forbid"
    # Kubernetes looks every 10 seconds, and a late start is of no use once the next one is due.
    assert 10 < spec["startingDeadlineSeconds"] < 300
    job = spec["jobTemplate"]["spec"]
    assert (job["backoffLimit"], pod("cronjob.yaml")["restartPolicy"]) == (0, "Never")
    assert job["activeDeadlineSeconds"] >= HUNG_AFTER_SECONDS


def test_the_deployments_daemon_ends_within_its_grace(tmp_path: Path) -> None:
    """The Deployment's daemon ends with code 0 within its grace period, even if it is stopped during a read."""
    grace = pod("deployment.yaml")["terminationGracePeriodSeconds"]
    assert grace > ENDS_WITHIN_SECONDS
    with manned(tmp_path) as post:
        daemon = post.start(*container("deployment.yaml")["command"][1:])
        assert post.asked.wait(60)
        daemon.terminate()
        assert daemon.wait(grace) == 0


def test_the_status_is_no_liveness_probe(tmp_path: Path) -> None:
    """The Deployment has no probe, since `status` may be unhealthy where a restart would not help, as at first."""
    with manned(tmp_path) as post:
        assert post.operator.call("status").code == NOT_HEALTHY
    assert not [key for key in container("deployment.yaml") if key.endswith("Probe")]


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_may_do_little(name: str) -> None:
    """A pod runs without root, a writable disk, capabilities or access to the cluster."""
    spec = pod(name)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "volumes" not in spec
    assert "memory" in container(name)["resources"]["limits"]


def test_the_image_is_run_by_its_own_user() -> None:
    """The CronJob's user and group are those that the Dockerfile sets."""
    user = pod("cronjob.yaml")["securityContext"]
    assert f"\nUSER {user['runAsUser']}:{user['runAsGroup']}\n" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("page", sorted(ROOT.glob("examples/*/README.md")), ids=lambda page: page.parent.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every file that an example's README links to exists."""
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert targets
    for target in targets:
        assert (page.parent / target).exists(), target

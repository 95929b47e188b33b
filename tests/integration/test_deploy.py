"""The files that are copied onto a machine: systemd accepts the units, and a shell runs the crontab's line."""

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from support.attended import manned
from trc_engage.entrypoints.cli.options import CONFIGURATION
from trc_engage.entrypoints.daemon.loop import HUNG_AFTER_SECONDS
from trc_engage.entrypoints.settings import Settings

DEPLOY = Path(__file__).parents[2] / "docs/deploy"
COMMAND = "/opt/trc-engage/bin/trc-engage"
SERVICES = ("trc-engage.service", "trc-engage-run-due.service", "trc-engage-web.service")
UNITS = (*SERVICES, "trc-engage-run-due.timer")
EXPOSURE_MAX = 2.0


def systemd_analyze(*arguments: str) -> str:
    """Return what `systemd-analyze` prints, or skip the test if it is not installed."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed")
    ran = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def installed(folder: Path) -> list[str]:
    """Write the units with a command that this machine has, and return their paths."""
    for name in UNITS:
        (folder / name).write_text((DEPLOY / name).read_text().replace(COMMAND, sys.executable))
    return [str(folder / name) for name in UNITS]


def unit(name: str) -> ConfigParser:
    """Return a unit; of an option that it sets twice, the last counts."""
    parser = ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / name)
    return parser


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` reports no error and no warning."""
    assert systemd_analyze("verify", *installed(tmp_path)) == ""


def test_the_timer_hits_every_slot_and_the_settlement() -> None:
    """The timer fires every five minutes from 00:00 UTC, so at every slot and for the settlement at 00:05."""
    calendar = unit("trc-engage-run-due.timer")["Timer"]["OnCalendar"]
    told = systemd_analyze("calendar", "--base-time=2026-03-08 23:58:00 UTC", "--iterations=6", calendar)
    assert re.findall(r"(\d\d:\d\d):00 UTC$", told, re.MULTILINE)[:6] == [
        "00:00",
        "00:05",
        "00:10",
        "00:15",
        "00:20",
        "00:25",
    ]


@pytest.mark.parametrize("name", SERVICES)
def test_the_service_may_do_little(name: str, tmp_path: Path) -> None:
    """On systemd's scale of exposure from 0 to 10, each service is rated 2 or less."""
    installed(tmp_path)
    told = systemd_analyze("security", "--offline=true", "--no-pager", str(tmp_path / name))
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert float(exposure) <= EXPOSURE_MAX


def test_the_daemon_is_restarted_unless_a_setting_is_wrong() -> None:
    """Systemd restarts a daemon that ended or hangs, unless a setting is wrong, and gives it more than 5 s to stop."""
    service = unit("trc-engage.service")["Service"]
    assert (service["Type"], service["Restart"]) == ("notify", "always")
    assert service["RestartPreventExitStatus"] == str(CONFIGURATION)
    assert int(service["WatchdogSec"]) < HUNG_AFTER_SECONDS
    assert int(service["TimeoutStopSec"]) > 5


def test_the_settings_are_known() -> None:
    """Each variable in the env file changes a setting once it has a value."""
    lines = (DEPLOY / "trc-engage.env").read_text().replace("# TRC", "TRC").replace("# SENTRY", "SENTRY").splitlines()
    environ = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z0-9_]+=", line))
    assert Settings.from_mapping(environ) == Settings(store=Path(environ["TRC_ENGAGE_STORE"]))
    values = {
        "TRC_ENGAGE_GUILD_ID": "1",
        "TRC_ENGAGE_MEE6_URL": "http://127.0.0.1:8066",
        "TRC_ENGAGE_MEE6_TOKEN": "token",
        "TRC_ENGAGE_DISCORD_TOKEN": "token",
        "TRC_ENGAGE_ALERT_WEBHOOK": "https://discord.com/api/webhooks/1/x",
        "TRC_ENGAGE_HEARTBEAT_URL": "https://hc-ping.com/x",
        "TRC_ENGAGE_HEALTH_ADDRESS": "127.0.0.1:9464",
        "TRC_ENGAGE_CONTACT_URL": "https://trc.example/engage",
        "SENTRY_DSN": "https://key@sentry.example/1",
    }
    assert values.keys() | {"TRC_ENGAGE_STORE"} == environ.keys()
    plain = Settings.from_mapping({})
    for name, value in values.items():
        assert Settings.from_mapping({name: value}) != plain


def test_the_crontabs_line_runs(tmp_path: Path) -> None:
    """The crontab's line runs in cron's shell and prints nothing that cron would mail."""
    *_, line = (DEPLOY / "crontab").read_text().splitlines()
    minutes, *others = line.split()[:5]
    assert (minutes, others) == ("*/5", ["*"] * 4)
    command = line.split(maxsplit=5)[5].replace(COMMAND, f"{sys.executable} -m trc_engage")
    settings = tmp_path / "trc-engage.env"
    settings.touch()
    command = command.replace("/etc/trc-engage.env", str(settings))
    with manned(tmp_path) as post:
        for _ in range(2):
            ran = subprocess.run(
                ["/bin/sh", "-c", command], env=post.operator.env, capture_output=True, text=True, check=False
            )
            assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
        post.assert_exact()

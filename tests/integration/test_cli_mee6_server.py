"""`mee6-server`, a MEE6 for trying things out, as an operator types it."""

import json
import re
import signal
import subprocess
from pathlib import Path

import httpx

from support.command import Operator
from trc_engage.testing.loopback import GUILD_ID
from trc_engage.testing.mee6 import Mee6Server


def test_the_server_to_try_things_with_lives_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """`mee6-server` prints settings and commands that work as printed, and SIGTERM ends it cleanly."""
    operator = Operator(tmp_path)
    process = operator.start("mee6-server", "--members", "3")
    assert process.stdout is not None
    told = "".join(iter(process.stdout.readline, "  trc-engage roster check\n"))
    operator.env |= dict(re.findall(r"export (\w+)=(\S+)", told))
    (enroll,) = re.findall(r"trc-engage (members enroll .*)", told)
    assert operator.run(*enroll.split()).code == 0
    assert operator.run("sync", "--json").json["opened"] == 1
    assert operator.env["TRC_ENGAGE_STORE"] == "try.db"
    assert operator.run("roster", "check", "--json").json["asked"] == 1
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == 0


def test_a_trouble_is_switched_while_it_runs_and_the_xp_is_kept(tmp_path: Path) -> None:
    """A file changes the trouble while the server runs, and after a kill the XP and the trouble are as they were."""
    operator, folder = Operator(tmp_path), tmp_path / "try"
    folder.mkdir()

    def served(*options: str) -> "subprocess.Popen[str]":
        process = operator.start("mee6-server", "--members", "3", "--keep", "try", *options)
        assert process.stdout is not None
        told = "".join(iter(process.stdout.readline, "  trc-engage roster check\n"))
        (operator.env["URL"],) = re.findall(r"MEE6_URL=(\S+)", told)
        assert process.stdout.readline() == "\n"
        return process

    def is_told(process: "subprocess.Popen[str]", trouble: str) -> int:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"trouble: {trouble}")
        return board().status_code

    def board() -> httpx.Response:
        return httpx.get(f"{operator.env['URL']}/api/plugins/levels/leaderboard/{GUILD_ID}")

    def switch(trouble: str) -> None:
        (folder / "new").write_text(trouble)
        (folder / "new").replace(folder / "trouble")

    process = served("--trouble", "private")
    assert is_told(process, "private") == 401
    for trouble, told, status in (("", "none", 200), ("bad_gateway\n", "bad_gateway", 502), ("x", "x is not", 200)):
        switch(trouble)
        assert is_told(process, told) == status
    switch("private")
    assert is_told(process, "private") == 401
    process.kill()
    process.communicate()
    kept = json.loads((folder / "xp.json").read_text())
    process = served()
    assert is_told(process, "private") == 401
    switch("")
    assert is_told(process, "none") == 200
    assert {one["id"]: one["xp"] >= kept[one["id"]] > 0 for one in board().json()["players"]} == dict.fromkeys(
        kept, True
    )
    process.send_signal(signal.SIGTERM)
    assert (process.communicate(timeout=30)[1], process.returncode) == ("", 0)


def test_what_was_kept_and_is_spoilt_is_named(operator: Operator) -> None:
    """A damaged file of XP is named with exit code 65, and is not taken for a board without XP."""
    (operator.folder / "xp.json").write_text('{"300000000000000001": 5')
    ran = operator.call("mee6-server", "--keep", ".")
    assert (ran.code, "xp.json is not as it was written" in ran.err) == (65, True)


def test_a_folder_that_is_not_there_is_named_at_the_start(operator: Operator) -> None:
    """A folder for the XP that does not exist is named before anything is served."""
    ran = operator.call("mee6-server", "--keep", "nowhere")
    assert (ran.code, ran.out, "nowhere: there is no such folder; create it first" in ran.err) == (65, "", True)


def test_a_port_in_use_is_named(operator: Operator, server: Mee6Server) -> None:
    """A port that is in use is named, with the advice that 0 picks a free one."""
    port = server.url.rpartition(":")[2]
    ran = operator.call("mee6-server", "--port", port)
    assert (ran.code, ran.err) == (
        65,
        f"trc-engage: port: {port}: cannot listen there (Address already in use); 0 picks a free one\n",
    )

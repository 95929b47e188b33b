"""`mee6-server`, the MEE6 to try things with, typed as an operator types it."""

import re
import signal
from pathlib import Path

from support.command import Operator
from trc_engage.testing.mee6 import Mee6Server


def test_the_server_to_try_things_with_lives_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """It prints what to type; typed, it works; and SIGTERM ends it cleanly."""
    operator = Operator(tmp_path)
    process = operator.start("mee6-server", "--members", "3")
    assert process.stdout is not None
    told = "".join(iter(process.stdout.readline, "  trc-engage history m-1\n"))
    operator.env |= dict(re.findall(r"export (\w+)=(\S+)", told))
    (enroll,) = re.findall(r"trc-engage (members enroll .*)", told)
    assert operator.run(*enroll.split()).code == 0
    assert operator.run("sync", "--json").json["opened"] == 1
    assert operator.env["TRC_ENGAGE_STORE"] == "try.db"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == 0


def test_a_port_in_use_is_named(operator: Operator, server: Mee6Server) -> None:
    """With the way out."""
    port = server.url.rpartition(":")[2]
    ran = operator.call("mee6-server", "--port", port)
    assert (ran.code, ran.err) == (
        65,
        f"trc-engage: port: {port}: cannot listen there (Address already in use); 0 picks a free one\n",
    )

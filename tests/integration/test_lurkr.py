"""Lurkr as the source, as an operator types it: one setting selects it, and nothing mentions MEE6."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import ADA, GRACE, Operator
from support.visitor import alone
from trc_engage.entrypoints.settings import Settings
from trc_engage.entrypoints.wiring import name_of_source, opened
from trc_engage.testing.boards import LurkrServer

KEY = "lurkr-kAnArY"


@pytest.fixture
def lurkr() -> Iterator[LurkrServer]:
    with LurkrServer.start() as server:
        server.token = KEY
        server.board.join(ADA, xp=1_000)
        server.board.join(GRACE, xp=2_000)
        yield server


@pytest.fixture
def operator(tmp_path: Path, lurkr: LurkrServer) -> Operator:
    operator = Operator(tmp_path)
    operator.env |= {
        "TRC_ENGAGE_SOURCE": "lurkr",
        "TRC_ENGAGE_GUILD_ID": lurkr.guild_id,
        "TRC_ENGAGE_LURKR_URL": lurkr.url,
        "TRC_ENGAGE_LURKR_TOKEN": KEY,
    }
    assert operator.run("members", "enroll", "m-1", "--discord-id", ADA, "--name", "Ada").code == 0
    return operator


def test_a_board_of_lurkrs_is_one_setting(operator: Operator, lurkr: LurkrServer) -> None:
    """`run-due` records a Lurkr account's baseline, a sync pays what was earned since, and `status` names the board."""
    assert operator.run("run-due", "--json").json["sync"]["opened"] == 1
    lurkr.board.give(ADA, 250)
    assert operator.run("sync", "--fresh", "--json").json["points"] == 2
    assert operator.run("status", "--json").json["board_id"] == f"lurkr:{lurkr.guild_id}@{lurkr.url[7:]}"


@pytest.mark.parametrize(
    ("trouble", "variable"),
    [("private", "TRC_ENGAGE_LURKR_TOKEN"), ("unknown_guild", "TRC_ENGAGE_GUILD_ID"), ("redirect", "LURKR_URL")],
)
def test_messages_alerts_and_pages_name_lurkr_alone(
    operator: Operator, lurkr: LurkrServer, trouble: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors, the alert, `status` and the page name Lurkr and its variables, and neither MEE6 nor the API key."""
    lurkr.trouble(trouble)
    told = [operator.run("sync", "--fresh").err for _ in range(3)]
    alert = operator.run("run-due").err
    status = operator.run("status").out
    for name, value in operator.env.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_mapping(os.environ)
    with opened(settings, name=name_of_source(settings)) as engage:
        page = alone(engage).get("/status").text
    assert "Lurkr's board could not be synced, 4 times" in alert
    for text in (*told, alert, status, page):
        assert "Lurkr" in text
        assert not re.search(f"mee6|{KEY}", text, re.IGNORECASE)
    assert variable in told[-1] + status

"""How events are logged: one event is one line, without secrets."""

import json
import logging
import re
from datetime import UTC, datetime

import pytest
import time_machine

from trc_engage.entrypoints.daemon.logs import LOGGER, NOTICES, logged

CANARY = "kAnArY.never-to-be-seen"
AT = datetime(2026, 3, 2, 9, 0, 3, tzinfo=UTC)

logger = logging.getLogger("trc_engage.usecases.sync")


def fail(text: str) -> None:
    """Log an exception with its traceback."""
    try:
        dict[str, str]()[text]
    except KeyError:
        logger.exception("it broke off")


def test_a_line_says_when_how_bad_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    """A line has the time in UTC to the second, the level and the message; below the level nothing is written."""
    with time_machine.travel(AT, tick=False), logged("info", as_json=False):
        logger.info("synced: %+d points", 3, extra={"points": 3})
        logger.debug("not asked for")
    assert capsys.readouterr().err == "2026-03-02T09:00:03Z INFO synced: +3 points\n"


def test_json_has_the_fields_besides_the_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """An event is one JSON object on one line, with its fields next to its message."""
    with time_machine.travel(AT, tick=False), logged("info", as_json=True):
        logger.info("settled\n%s", "2026-03-01", extra={"day": datetime(2026, 3, 1, tzinfo=UTC).date(), "active": 2})
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line) == {
        "time": "2026-03-02T09:00:03Z",
        "level": "INFO",
        "logger": "trc_engage.usecases.sync",
        "message": "settled\n2026-03-01",
        "day": "2026-03-01",
        "active": 2,
    }


def test_a_traceback_is_one_string_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback is one string of the JSON object, so a collector that reads line by line gets all of it."""
    with logged("info", as_json=True):
        fail("x")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exception"].splitlines()[-1] == "KeyError: 'x'"


def test_foreign_text_obeys_no_terminal_and_breaks_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters and line breaks in foreign text are removed, so an event stays one harmless line."""
    with logged("info", as_json=False):
        logger.warning("the server said %s", "no\x1b[31m\n2026-03-02T09:00:03Z INFO synced\x07")
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(r"Z WARNING the server said no\[31m 2026-03-02T09:00:03Z INFO synced$", line)


@pytest.mark.parametrize("as_json", [False, True])
def test_no_secret_is_written(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """No secret is written in a message, a field or a traceback, even if a bug put it there."""
    with logged("debug", as_json=as_json, secrets=(None, CANARY)):
        logger.debug("asked with %s", CANARY, extra={"token": CANARY})
        fail(CANARY)
    written = capsys.readouterr().err
    assert "asked with …" in written.replace("\\u2026", "…")
    assert CANARY not in written


def test_what_an_admin_must_know_is_written_at_every_level(capsys: pytest.CaptureFixture[str]) -> None:
    """Notices are written at every level, so a cron job that logs only errors still mails the all-clear."""
    with logged("error", as_json=False):
        logging.getLogger(NOTICES).warning("All clear: MEE6's board is synced again")
        logger.warning("sync failed")
    assert [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()] == [
        "WARNING All clear: MEE6's board is synced again"
    ]


def test_nobody_elses_log_is_touched(capsys: pytest.CaptureFixture[str]) -> None:
    """The log of the root and of libraries is left alone, and this package's is restored afterwards."""
    root, ours, notices = logging.getLogger(), logging.getLogger(LOGGER), logging.getLogger(NOTICES)

    def state() -> list[object]:
        return [(one.level, one.propagate, tuple(one.handlers)) for one in (root, ours, notices)]

    before = state()
    with logged("debug", as_json=False):
        logging.getLogger("httpx").info("GET https://mee6.xyz/secret")
    assert capsys.readouterr().err == ""
    assert state() == before

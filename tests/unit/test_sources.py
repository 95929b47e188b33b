"""The source of XP is a setting: one of our sources by its name, or what a factory of your own returns."""

import logging
import pydoc
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from attrs import evolve, fields

import trc_engage
from trc_engage import Board
from trc_engage.adapters.boards import BoardSource, Service
from trc_engage.adapters.boards.paging import parsed
from trc_engage.adapters.lurkr import LurkrSource
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.core.errors import SourceError
from trc_engage.entrypoints.settings import SOURCES, Settings, SettingsError
from trc_engage.entrypoints.wiring import name_of_source, opened_source
from trc_engage.entrypoints.wording.alerts import describe_error

ADAPTERS = Path(trc_engage.__file__).parent / "adapters"
GUILD = "200000000000000001"


class Plain:
    """A source with only what every source needs."""

    def read(self, sought: frozenset[str], /) -> Board:
        """Return a board that shows everyone."""
        return Board(dict.fromkeys(sought, 1), whole=True, rows=len(sought), pages=1)


class Named(Plain):
    name = "The file"
    closed = 0

    def close(self) -> None:
        """Count the call."""
        Named.closed += 1


def fails() -> Plain:
    raise KeyError("board")


@pytest.fixture(autouse=True)
def _own(monkeypatch: pytest.MonkeyPatch) -> None:
    own = ModuleType("own_source")
    vars(own).update(Plain=Plain, Named=Named, fails=fails, nothing=dict, a_class=lambda: Plain)
    monkeypatch.setitem(sys.modules, "own_source", own)


def settings(**environ: str) -> Settings:
    return Settings.from_mapping({f"TRC_ENGAGE_{name}": value for name, value in environ.items()})


@pytest.mark.parametrize(
    ("value", "kind", "name", "board_id"),
    [
        ("", Mee6Source, "MEE6", f"mee6:{GUILD}"),
        ("mee6", Mee6Source, "MEE6", f"mee6:{GUILD}"),
        (" Lurkr ", LurkrSource, "Lurkr", f"lurkr:{GUILD}"),
    ],
)
def test_a_source_is_one_word(value: str, kind: type[BoardSource], name: str, board_id: str) -> None:
    """MEE6 is the source unless another is named, and each source has a name and the id of its board."""
    chosen = settings(SOURCE=value, GUILD_ID=GUILD)
    with opened_source(chosen) as source:
        assert isinstance(source, kind)
        assert (name, board_id) == (source.name, source.board_id)
    assert name_of_source(chosen) == name


@pytest.mark.parametrize("source", SOURCES)
def test_each_reads_its_own_settings(source: str) -> None:
    """A source reads only its own address and token; the other's are not checked, but its token is still hidden."""
    (other,) = SOURCES.keys() - {source}
    own = settings(
        SOURCE=source,
        **{f"{source.upper()}_URL": "http://own.example", f"{source.upper()}_TOKEN": "own-kAnArY"},
        **{f"{other.upper()}_URL": "no address", f"{other.upper()}_TOKEN": "other kAnArY"},
    )
    assert (own.source_url, own.source_token) == ("http://own.example", "own-kAnArY")
    assert set(own.secrets) == {"own-kAnArY", "other kAnArY"}
    assert "kAnArY" not in repr(own)


def test_a_plain_object_with_read_is_enough() -> None:
    """A source needs no guild, stop or close; one that can be closed is closed."""
    with opened_source(settings(SOURCE="own_source:Plain")) as source:
        assert source.read(frozenset({"1"})).readings == {"1": 1}
    assert name_of_source(settings(SOURCE="own_source:Plain")) == "the source"
    before = Named.closed
    assert name_of_source(settings(SOURCE="own_source:Named")) == "The file"
    assert Named.closed == before + 1


def test_the_secrets_of_a_factory_are_known_by_their_variables() -> None:
    """Tokens and keys that a factory reads itself are recognized by their variables, so that the log hides them."""
    own = settings(SOURCE="own_source:Plain", OWN_TOKEN="a-token", OWN_API_KEY="a-key", OWN_PATH="/a")  # noqa: S106
    assert set(own.secrets) == {"a-token", "a-key"}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("amari", "give mee6, lurkr or a factory of your own, as package.module:factory"),
        ("own_source:", "as package.module:factory"),
        ("own source:Plain", "as package.module:factory"),
        ("no_such_module:factory", "No module named 'no_such_module'; fix it, or set PYTHONPATH"),
        ("own_source:missing", "has no attribute 'missing'"),
        ("own_source:fails", "failed with KeyError: 'board'"),
        (
            "own_source:nothing",
            "returned {}, which is not a source; let it return an object with the method read(sought)",
        ),
        ("own_source:a_class", "which is not a source"),
    ],
)
def test_a_wrong_source_is_a_matter_of_settings(value: str, says: str) -> None:
    """A source that cannot be opened is an error that names the variable, shows its value, and says what to do."""
    with pytest.raises(SettingsError) as caught, opened_source(settings(SOURCE=value)):
        pass
    assert str(caught.value).startswith(f"TRC_ENGAGE_SOURCE: '{value}': ")
    assert says in str(caught.value)


def test_the_stack_of_a_factory_is_in_the_debug_log(caplog: pytest.LogCaptureFixture) -> None:
    """If a factory fails, the debug log shows its author the stack, down to the line that failed."""
    with (
        caplog.at_level(logging.DEBUG, "trc_engage"),
        pytest.raises(SettingsError) as caught,
        opened_source(settings(SOURCE="own_source:fails")),
    ):
        pass
    assert isinstance(caught.value.__cause__, KeyError)
    assert 'raise KeyError("board")' in caplog.text


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "The token is set in TRC_ENGAGE_MEE6_TOKEN"),
        ("lurkr", "The token is set in TRC_ENGAGE_LURKR_TOKEN"),
        ("own_source:Plain", "The token is set in what TRC_ENGAGE_SOURCE names"),
    ],
)
def test_an_error_names_the_variables_of_its_source(source: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error names the variables of the chosen source, and MEE6 only if that is the source."""
    monkeypatch.setenv("TRC_ENGAGE_SOURCE", source)
    told = describe_error(SourceError("private", "it is private", argument="token"))
    assert says in told
    assert source == "" or "MEE6" not in told


@pytest.mark.parametrize("path", sorted((ADAPTERS / "boards").glob("*.py")), ids=lambda path: path.name)
def test_what_all_boards_share_names_no_vendor(path: Path) -> None:
    """The code that all boards share names no vendor, since what is one service's own belongs to its value."""
    assert not re.search(r"mee6|lurkr|players|levels", path.read_text(), re.IGNORECASE)


@pytest.mark.parametrize(("name", "lines_max"), [("mee6", 60), ("lurkr", 40)])
def test_a_source_is_a_value(name: str, lines_max: int) -> None:
    """A source's module is short, because everything else is how any board is read."""
    lines = (ADAPTERS / f"{name}.py").read_text().splitlines()
    assert len(lines) <= lines_max


def test_a_list_of_rows_alone_and_keys_within_keys_can_be_read() -> None:
    """A service may answer with a bare list of rows, and with id and XP under nested keys."""
    service = Service("Other", "https://other.example", "/{guild}", rows="", id="user.id", xp="stats.total.xp")
    body = b'[{"user": {"id": "7"}, "stats": {"total": {"xp": 5}}}, {"user": {}, "stats": 1}]'
    page: Any = parsed(service, body, GUILD, frozenset({"7"}))
    assert (page.readings, page.length, page.unusable) == ({"7": 5}, 2, 1)


class Tern(BoardSource):
    service = Service("Tern", "https://tern.example", "/{guild}/top", rows="top", id="id", xp="xp", page_first=1)


def answered(answer: httpx.Response, source: type[BoardSource] = Tern, **options: Any) -> Board:
    """Read a board whose service gives this answer to its first page, and no rows to the next."""

    def answer_in_memory(request: httpx.Request) -> httpx.Response:
        assert request.url.path == f"/{GUILD}/top"
        return answer if request.url.params["page"] == "1" else httpx.Response(200, json={"top": []})

    transport = httpx.MockTransport(answer_in_memory)
    with source.open(GUILD, page_gap=0, transport=transport, **options) as opened:
        return opened.read(frozenset({"7", "8"}))


def kind_of(answer: httpx.Response, source: type[BoardSource] = Tern) -> str:
    """Return the kind of the error that an answer causes."""
    with pytest.raises(SourceError) as caught:
        answered(answer, source)
    return caught.value.kind


def test_answers_from_memory_are_read() -> None:
    """Answers that httpx makes in memory are read without a socket, and the limit of bytes applies to them."""
    told = {"top": [{"id": "7", "xp": 5}]}
    board = answered(httpx.Response(200, json=told))
    assert (board.readings, board.whole, board.rows) == ({"7": 5}, True, 1)
    with pytest.raises(SourceError, match="longer than 10 bytes"):
        answered(httpx.Response(200, json=told), answer_bytes_max=10)


FOREIGN: tuple[dict[str, Any], ...] = ({}, {"json": {}}, {"html": "<h1>Not here</h1>"}, {"json": ["no"]})


def test_a_service_speaks_in_json_objects() -> None:
    """By default, only a JSON object with content shows that the service itself answers with 403 or 404."""
    assert kind_of(httpx.Response(403, json={"detail": "no"})) == "private"
    assert kind_of(httpx.Response(404, json={"detail": "no"})) == "unknown_guild"
    for body in FOREIGN:
        assert kind_of(httpx.Response(403, **body)) == "blocked"
        assert kind_of(httpx.Response(404, **body)) == "malformed"


class Blunt(Tern):
    service = evolve(Tern.service, speaks=None)


def test_a_service_may_say_no_more_than_a_status() -> None:
    """If a service answers without JSON, its status is enough, except on a page that tests for robots."""
    for body in FOREIGN:
        assert kind_of(httpx.Response(403, **body), Blunt) == "private"
        assert kind_of(httpx.Response(404, **body), Blunt) == "unknown_guild"
    assert kind_of(httpx.Response(403, html="<title>Just a moment...</title>"), Blunt) == "blocked"


@pytest.mark.parametrize("token", [None, "t0ken"])
def test_only_a_token_that_was_given_can_have_expired(token: str | None) -> None:
    """The error of a 401 mentions a token only if one was given."""
    with pytest.raises(SourceError, match="it is private") as caught:
        answered(httpx.Response(401), token=token)
    assert ("token" in caught.value.message) == (token is not None)


def test_help_tells_what_each_fact_means() -> None:
    """The help of `Service` explains each field, in the order in which they are given."""
    lines = re.findall(r"^- (.*?): .", pydoc.getdoc(Service), re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(lines)) == [one.name for one in fields(Service)]

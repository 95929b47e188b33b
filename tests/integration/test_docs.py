"""Everything in the documentation that can be run is run, so that it stays true."""

import doctest
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.main import get_command

import trc_engage
from trc_engage import AmbiguousMember, Engage
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core import days, points, slots
from trc_engage.entrypoints.cli import app
from trc_engage.entrypoints.wire import as_json, status_of
from trc_engage.testing.mee6 import Mee6Server

ROOT = Path(__file__).parents[2]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_the_rules_examples_print_what_they_say() -> None:
    """Every `>>>` example in `docs/rules.md` prints what the page shows."""
    results = doctest.testfile(str(ROOT / "docs/rules.md"), module_relative=False, optionflags=FLAGS)
    assert (results.failed, results.attempted > 30) == (0, True)


@pytest.mark.parametrize("module", [days, points, slots], ids=lambda module: module.__name__)
def test_docstring_examples_print_what_they_say(module: ModuleType) -> None:
    """Every `>>>` example in a docstring of these modules prints what it shows."""
    results = doctest.testmod(module, optionflags=FLAGS)
    assert (results.failed, results.attempted > 0) == (0, True)


def test_the_readmes_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The README's program runs as printed, except for the board's address."""
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with Mee6Server.start(guild_id="123") as server:
        server.board.join("80351110224678912", username="Ada", xp=500)
        exec(program.replace('guild_id="123"', f'guild_id="123", base_url="{server.url}"'), {})  # noqa: S102
    assert capsys.readouterr().out.startswith("1 0 0\n0 [Entry(")


def test_the_page_of_apps_shows_what_is_run() -> None:
    """`docs/frameworks.md` shows 13 example files in full, as they are."""
    shown = re.findall(r"`(examples/\S+)`:\n\n```\w+\n(.*?)```\n", (ROOT / "docs/frameworks.md").read_text(), re.DOTALL)
    assert len(shown) == 13
    for path, text in shown:
        assert text == (ROOT / path).read_text(), path


def test_the_table_of_errors_has_the_statuses_that_are_answered() -> None:
    """The table of errors in `docs/embedding.md` has the status that each error is answered with."""
    rows = re.findall(r"^\| (`[A-Z].*?) \|.*\| (\d+) \|$", (ROOT / "docs/embedding.md").read_text(), re.MULTILINE)
    told = {name: int(status) for names, status in rows for name in re.findall(r"`(\w+)`", names)}
    assert len(told) == 14
    for name, status in told.items():
        error = getattr(trc_engage, name)
        assert status_of(error.__new__(error)) == status, name


def test_a_name_of_several_members_is_a_conflict() -> None:
    """A name that several members have gives status 409 and a message that lists those members."""
    engage = Engage(ledger=MemoryLedger(), clock=lambda: datetime(2026, 3, 2, tzinfo=UTC))
    for member_id in ("m-1", "m-2"):
        engage.enroll(member_id, name="Ada")
    with pytest.raises(AmbiguousMember) as raised:
        engage.resolve("ada")
    assert (status_of(raised.value), str(raised.value)) == (
        409,
        "'ada' could be 'm-1' (Ada), 'm-2' (Ada); nothing was done; give the member's id",
    )


def test_the_fields_of_a_standing_are_listed() -> None:
    """`docs/api.md` names exactly the fields in the JSON of a member's standing."""
    ledger = MemoryLedger()
    engage = Engage(ledger=ledger, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC))
    engage.enroll("m-1", discord_id="80351110224678912", name="Ada")
    made = as_json(engage.standing("m-1"))
    (listed,) = re.findall(
        r"## Where a member stands, as JSON\n(.*?)\n## ", (ROOT / "docs/api.md").read_text(), re.DOTALL
    )
    named = set(re.findall(r"`(\w+)`", listed)) - {"as_json"}
    assert named == {*made, *made["discord"], *made["streak"]}


def typed() -> Iterator[list[str]]:
    """Yield the words after `trc-engage` of each command that the documentation tells you to type."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
            for part in re.split(r"\n|&&|\|", block.replace("\\\n", "")):
                if found := re.match(r"\s*(?:docker .* |/opt/trc-engage/bin/)?trc-engage ((?:-|[a-z]).*)", part):
                    yield re.split(r" +[<>#]", found[1])[0].split()


@pytest.mark.parametrize("words", list(typed()), ids=" ".join)
def test_what_is_to_be_typed_can_be_typed(words: list[str]) -> None:
    """Each command in the documentation exists and takes the options that it is shown with."""
    command: Any = get_command(app)
    for word in words:
        if word.startswith("--"):
            assert word in {name for one in command.params for name in one.opts}
        elif is_group(command):
            command = command.get_command(None, word) or command
    assert not is_group(command)


def is_group(command: Any) -> bool:
    """Return whether a command has others below it."""
    return hasattr(command, "get_command")


def test_the_readme_is_short() -> None:
    """The README has at most 80 lines."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 80


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link in a Markdown page leads to a file that exists."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target

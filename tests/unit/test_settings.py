"""Settings come from the environment; a bad one is named, and a secret is never shown."""

from pathlib import Path

import pytest

from trc_engage import InvalidValue
from trc_engage.entrypoints.settings import Settings, SettingsError
from trc_engage.entrypoints.wiring import opened_with_source, store_path


def test_an_empty_environment_is_enough_to_begin() -> None:
    """Only what has no default is left open."""
    assert Settings.from_mapping({}) == Settings(
        store=None, guild_id=None, mee6_url="https://mee6.xyz", mee6_token=None
    )


def test_empty_is_unset() -> None:
    """`TRC_ENGAGE_STORE=` in an env file means nothing, and neither do spaces."""
    names = ("STORE", "GUILD_ID", "MEE6_URL", "MEE6_TOKEN")
    assert Settings.from_mapping({f"TRC_ENGAGE_{name}": " " for name in names}) == Settings.from_mapping({})


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("engage.db", "engage.db"),
        ("/var/lib/engage.db", "/var/lib/engage.db"),
        ("sqlite:///engage.db", "engage.db"),
        ("sqlite:////var/lib/engage.db", "/var/lib/engage.db"),
        ("/odd/dir%20with?marks", "/odd/dir%20with?marks"),
    ],
)
def test_the_store_is_a_path_or_an_address(value: str, path: str) -> None:
    """As everybody writes them: three slashes are relative, four absolute."""
    assert Settings.from_mapping({"TRC_ENGAGE_STORE": value}).store == Path(path)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("STORE", "postgresql://trc@db/engage", "this version keeps its store in SQLite"),
        ("STORE", "postgres://db/engage", "this version keeps its store in SQLite"),
        ("STORE", "mysql://db/engage", "name the file"),
        ("STORE", "sqlite://engage.db", "sqlite:///engage.db"),
        ("STORE", "sqlite:///", "name the file"),
        ("STORE", "sqlite:///engage.db?mode=ro", "name the file"),
        ("STORE", ":memory:", "name the file"),
        ("STORE", "sqlite:///:memory:", "name the file"),
        ("GUILD_ID", "my server", "Copy Server ID"),
        ("GUILD_ID", "0", "Copy Server ID"),
        ("GUILD_ID", "1" * 21, "Copy Server ID"),
        ("MEE6_URL", "mee6.xyz", "http or https"),
        ("MEE6_URL", "ftp://mee6.xyz", "http or https"),
        ("MEE6_URL", "https://", "a host"),
        ("MEE6_URL", "https://mee6.xyz?page=1", "query"),
        ("MEE6_URL", "https://mee6.xyz:99999", "http or https"),
        ("MEE6_URL", "https://[::1", "http or https"),
    ],
)
def test_a_bad_value_is_named_with_its_variable_and_the_remedy(variable: str, value: str, says: str) -> None:
    """The line alone is enough to mend it."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({f"TRC_ENGAGE_{variable}": value})
    assert caught.value.variable == f"TRC_ENGAGE_{variable}"
    assert str(caught.value).startswith(f"TRC_ENGAGE_{variable}: '{value[:10]}")
    assert says in str(caught.value)


def test_a_long_value_is_shortened() -> None:
    """An error stays one line, whatever was pasted."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({"TRC_ENGAGE_GUILD_ID": "x" * 10_000})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("token", ["Bearer kAnArY", "kAnArY\nX-Evil: 1", "kAnArYü"])
def test_a_bad_token_is_refused_unseen(token: str) -> None:
    """The variable is named, the value is not."""
    with pytest.raises(SettingsError, match="TRC_ENGAGE_MEE6_TOKEN must be the raw token") as caught:
        Settings.from_mapping({"TRC_ENGAGE_MEE6_TOKEN": token})
    assert "kAnArY" not in f"{caught.value!r} {caught.value}"


def test_the_token_shows_in_no_repr() -> None:
    """Settings may be logged."""
    assert "kAnArY" not in repr(Settings.from_mapping({"TRC_ENGAGE_MEE6_TOKEN": "kAnArY"}))


@pytest.mark.parametrize("variable", ["TRC_ENGAGE_STORE", "TRC_ENGAGE_MEE6_URL"])
def test_a_password_in_an_address_is_not_repeated(variable: str) -> None:
    """It is refused, but not shown to whoever reads the log."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({variable: "postgresql://trc:p@ss/w0rd@db/engage"})
    assert "w0rd" not in str(caught.value)


def test_only_reading_needs_a_guild(tmp_path: Path) -> None:
    """The variable that is missing is named."""
    with (
        pytest.raises(SettingsError, match="TRC_ENGAGE_GUILD_ID is not set"),
        opened_with_source(Settings(store=tmp_path / "engage.db")),
    ):
        pass


def test_what_only_the_source_can_refuse_is_named_as_a_variable_too(tmp_path: Path) -> None:
    """An operator knows variables, not arguments."""
    settings = Settings(tmp_path / "engage.db", "1", mee6_url="https://mee6.xyz\x07")
    with pytest.raises(SettingsError, match="TRC_ENGAGE_MEE6_URL") as caught, opened_with_source(settings):
        pass
    assert isinstance(caught.value.__cause__, InvalidValue)


def test_a_store_needs_a_folder_that_exists(tmp_path: Path) -> None:
    """A typing error must not found a second store somewhere."""
    with pytest.raises(SettingsError, match="its folder does not exist"):
        store_path(Settings(store=tmp_path / "nowhere" / "engage.db"))
    with pytest.raises(SettingsError, match="it is a folder"):
        store_path(Settings(store=tmp_path))


def test_the_default_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names no store has one in the data folder of the user."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert store_path(Settings()) == tmp_path / "data" / "trc-engage" / "engage.db"
    assert (tmp_path / "data" / "trc-engage").is_dir()


def test_a_default_folder_that_cannot_be_made_is_a_matter_of_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way out is the variable."""
    (tmp_path / "data").write_text("a file")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with pytest.raises(SettingsError, match="TRC_ENGAGE_STORE is not set, and the default folder cannot be made"):
        store_path(Settings())

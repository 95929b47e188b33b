"""Settings from the environment: a bad value is named by its variable, and a secret is never shown."""

from pathlib import Path
from traceback import format_exception

import pytest
from sentry_sdk.utils import Dsn

from trc_engage import InvalidValue
from trc_engage.entrypoints.settings import PostgresUrl, Settings, SettingsError
from trc_engage.entrypoints.stores import store_path
from trc_engage.entrypoints.wiring import channels, opened_with_source


def test_an_empty_environment_is_enough_to_begin() -> None:
    """An empty environment gives the defaults, and leaves unset what has none."""
    assert Settings.from_mapping({}) == Settings(
        store=None, guild_id=None, source="mee6", source_url=None, source_token=None
    )


def test_empty_is_unset() -> None:
    """A variable that is empty, such as `TRC_ENGAGE_STORE=`, or has only spaces counts as unset."""
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
    """A store is a path or an SQLite address, in which three slashes are relative and four are absolute."""
    assert Settings.from_mapping({"TRC_ENGAGE_STORE": value}).store == Path(path).absolute()


@pytest.mark.parametrize(
    ("value", "dsn", "schema"),
    [
        ("postgresql://trc@db/engage", "postgresql://trc@db/engage", "trc_engage"),
        ("postgres://db", "postgres://db", "trc_engage"),
        ("postgresql://db/e?sslmode=require&schema=points", "postgresql://db/e?sslmode=require", "points"),
        ("postgresql://db/e?schema=points", "postgresql://db/e", "points"),
    ],
)
def test_the_store_is_a_database(value: str, dsn: str, schema: str) -> None:
    """A PostgreSQL address is kept as it is, but for `schema`, which becomes the schema of the store."""
    store = Settings.from_mapping({"TRC_ENGAGE_STORE": value}).store
    assert store == PostgresUrl(dsn, schema)


def test_the_password_of_a_database_is_not_shown() -> None:
    """A database's password is in no repr, and not in the error of an address that cannot be read or in its cause."""
    secret = "".join(["hunter", "2"])
    assert secret not in repr(Settings.from_mapping({"TRC_ENGAGE_STORE": f"postgresql://trc:{secret}@db/engage"}))
    with pytest.raises(SettingsError, match="%-escapes") as caught:
        Settings.from_mapping({"TRC_ENGAGE_STORE": f"postgresql://trc:{secret} {secret}@db/engage"})
    assert secret not in "".join(format_exception(caught.value))


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("STORE", "postgis://trc@db/engage", "postgresql://USER:PASSWORD@HOST/DATABASE"),
        ("STORE", "mysql://db/engage", "give a file"),
        ("STORE", "sqlite://engage.db", "sqlite:///engage.db"),
        ("STORE", "sqlite:///", "give a file"),
        ("STORE", "sqlite:///engage.db?mode=ro", "give a file"),
        ("STORE", ":memory:", "give a file"),
        ("STORE", "sqlite:///:memory:", "give a file"),
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
    """The error of a bad value names the variable, shows the value and says how to correct it."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({f"TRC_ENGAGE_{variable}": value})
    assert caught.value.variable == f"TRC_ENGAGE_{variable}"
    known = value.partition("://")[0] if variable == "STORE" else value[:10]
    assert str(caught.value).startswith(f"TRC_ENGAGE_{variable}: '{known}")
    assert says in str(caught.value)


@pytest.mark.parametrize("variable", ["SOURCE", "HEALTH_ADDRESS", "CONTACT_URL", "MEE6_URL", "STORE", "GUILD_ID"])
def test_another_setting_on_the_same_line_is_not_shown(variable: str) -> None:
    """If a line break was lost, what follows the value is not shown, because it may be a secret."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({f"TRC_ENGAGE_{variable}": "lurkr TRC_ENGAGE_LURKR_TOKEN=kAnArY"})
    assert "kAnArY" not in str(caught.value)


def test_a_long_value_is_shortened() -> None:
    """The error about a value of 10,000 characters stays below 300."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({"TRC_ENGAGE_GUILD_ID": "x" * 10_000})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("token", ["Bearer kAnArY", "kAnArY\nX-Evil: 1", "kAnArYü"])
def test_a_bad_token_is_refused_unseen(token: str) -> None:
    """A bad token is refused by its variable, without showing the value."""
    with pytest.raises(SettingsError, match="TRC_ENGAGE_MEE6_TOKEN must be the token alone") as caught:
        Settings.from_mapping({"TRC_ENGAGE_MEE6_TOKEN": token})
    assert "kAnArY" not in f"{caught.value!r} {caught.value}"


WEBHOOK = "https://discord.com/api/webhooks/123/kAnArY"
DSN = "https://kAnArY@o1.ingest.example/42"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRC_ENGAGE_MEE6_TOKEN", "kAnArY"),
        ("TRC_ENGAGE_ALERT_WEBHOOK", WEBHOOK),
        ("TRC_ENGAGE_HEARTBEAT_URL", WEBHOOK),
        ("SENTRY_DSN", DSN),
    ],
)
def test_a_secret_shows_in_no_repr(variable: str, value: str) -> None:
    """No secret is in the repr of the settings, so they can be logged."""
    assert "kAnArY" not in repr(Settings.from_mapping({variable: value}))


@pytest.mark.parametrize(
    "value",
    [
        WEBHOOK,
        f"{WEBHOOK}?thread_id=7",
        f"{WEBHOOK}/slack",
        "http://127.0.0.1:8080/hook",
        "https://discord.com/a@b",
    ],
)
def test_a_webhook_is_an_address(value: str) -> None:
    """A webhook that the settings accept makes a channel."""
    settings = Settings.from_mapping({"TRC_ENGAGE_ALERT_WEBHOOK": f" {value} "})
    assert settings.alert_webhook == value
    assert [one.channel for one in channels(settings)] == ["log", "webhook"]


@pytest.mark.parametrize(
    "value",
    [
        "kAnArY",
        "ftp://discord.com/kAnArY",
        "https://discord.com",
        "https://discord.com/",
        "https://discord.com//kAnArY",
        "https://discord.com/?kAnArY",
        "https:///kAnArY",
        "https://me:kAnArY@discord.com/x",
        f"{WEBHOOK}#x",
        f"{WEBHOOK} x",
        f"{WEBHOOK}\x00x",
        f"{WEBHOOK}ü",
        "https://discord.com:99999/kAnArY",
        "https://[::1/kAnArY",
    ],
)
def test_a_bad_webhook_is_refused_unseen(value: str) -> None:
    """A bad webhook is refused when the settings are read, by its variable and without showing the value."""
    with pytest.raises(SettingsError, match="TRC_ENGAGE_ALERT_WEBHOOK must be the URL of a Discord web") as caught:
        Settings.from_mapping({"TRC_ENGAGE_ALERT_WEBHOOK": value})
    assert "kAnArY" not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize(
    "value", [DSN, "https://key:secret@sentry.example/7", "http://key@127.0.0.1:9000/1", "https://key@host/sub/path/1"]
)
def test_a_dsn_is_what_sentry_takes(value: str) -> None:
    """A DSN that the settings accept is one that Sentry's client accepts."""
    settings = Settings.from_mapping({"SENTRY_DSN": value, "SENTRY_ENVIRONMENT": "staging"})
    assert (settings.sentry_dsn, settings.sentry_environment) == (value, "staging")
    Dsn(value)


@pytest.mark.parametrize(
    "value",
    [
        "kAnArY",
        "ftp://kAnArY@host/1",
        "https://host/1",
        "https://@host/1",
        "https://:kAnArY@host/1",
        "https://kAnArY@host",
        "https://kAnArY@host/",
        "https://kAnArY@host/project",
        "https://kAnArY@host/1x",
        "https://kAnArY@host/1?x=y",
        "https://kAnArY@ho st/1",
        "https://kAnArYü@host/1",
        "https://kAnArY@host:99999/1",
    ],
)
def test_a_bad_dsn_is_refused_unseen(value: str) -> None:
    """A bad DSN is refused without showing it, whereas Sentry's client would show it in its error."""
    with pytest.raises(SettingsError, match="SENTRY_DSN must be the DSN of a Sentry project") as caught:
        Settings.from_mapping({"SENTRY_DSN": value})
    assert "kAnArY" not in f"{caught.value!r} {caught.value}"


def test_what_is_told_stands_in_production_unless_said_otherwise() -> None:
    """Sentry's environment is `production` unless another is set, as with Sentry itself."""
    assert Settings.from_mapping({"SENTRY_ENVIRONMENT": " "}).sentry_environment == "production"


@pytest.mark.parametrize("variable", ["TRC_ENGAGE_STORE", "TRC_ENGAGE_MEE6_URL"])
def test_a_password_in_an_address_is_not_repeated(variable: str) -> None:
    """An address with a password is refused without showing the password, since errors may be logged."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({variable: "mysql://trc:p@ss/w0rd@db/engage"})
    assert "w0rd" not in str(caught.value)


def test_only_reading_needs_a_guild(tmp_path: Path) -> None:
    """Reading a board without a guild id is refused, and the error names the variable."""
    with (
        pytest.raises(SettingsError, match="TRC_ENGAGE_GUILD_ID is not set"),
        opened_with_source(Settings(store=tmp_path / "engage.db")),
    ):
        pass


def test_what_only_the_source_can_refuse_is_named_as_a_variable_too(tmp_path: Path) -> None:
    """A value that only the source refuses is named by its variable too, since operators do not know arguments."""
    settings = Settings(tmp_path / "engage.db", "1", source_url="https://mee6.xyz\x07")
    with pytest.raises(SettingsError, match="TRC_ENGAGE_MEE6_URL") as caught, opened_with_source(settings):
        pass
    assert isinstance(caught.value.__cause__, InvalidValue)


def test_a_store_needs_a_folder_that_exists(tmp_path: Path) -> None:
    """A store in a missing folder is refused, and so is a folder, so that a typo does not create a second store."""
    with pytest.raises(SettingsError, match="its folder does not exist"):
        store_path(Settings(store=tmp_path / "nowhere" / "engage.db"))
    with pytest.raises(SettingsError, match="this is a folder"):
        store_path(Settings(store=tmp_path))


def test_the_default_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a setting, the store is in the user's data folder, which is created."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert store_path(Settings()) == tmp_path / "data" / "trc-engage" / "engage.db"
    assert (tmp_path / "data" / "trc-engage").is_dir()


def test_a_default_folder_that_cannot_be_made_is_a_matter_of_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the default folder cannot be created, the error names the variable to set."""
    (tmp_path / "data").write_text("a file")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with pytest.raises(SettingsError, match="TRC_ENGAGE_STORE is not set, and the default folder cannot be created"):
        store_path(Settings())

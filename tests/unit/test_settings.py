"""Settings come from the environment; a bad one is named, and a secret is never shown."""

from pathlib import Path
from traceback import format_exception

import pytest
from sentry_sdk.utils import Dsn

from trc_engage import InvalidValue
from trc_engage.entrypoints.settings import PostgresUrl, Settings, SettingsError
from trc_engage.entrypoints.stores import store_path
from trc_engage.entrypoints.wiring import channels, opened_with_source


def test_an_empty_environment_is_enough_to_begin() -> None:
    """Only what has no default is left open."""
    assert Settings.from_mapping({}) == Settings(
        store=None, guild_id=None, source="mee6", source_url=None, source_token=None
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
    """The schema is ours; all else is for the library of PostgreSQL."""
    store = Settings.from_mapping({"TRC_ENGAGE_STORE": value}).store
    assert store == PostgresUrl(dsn, schema)


def test_the_password_of_a_database_is_not_shown() -> None:
    """Neither in a repr, nor in the error of an address that cannot be read, nor in what that came from."""
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
    """The line alone is enough to mend it."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({f"TRC_ENGAGE_{variable}": value})
    assert caught.value.variable == f"TRC_ENGAGE_{variable}"
    known = value.partition("://")[0] if variable == "STORE" else value[:10]
    assert str(caught.value).startswith(f"TRC_ENGAGE_{variable}: '{known}")
    assert says in str(caught.value)


@pytest.mark.parametrize("variable", ["SOURCE", "HEALTH_ADDRESS", "CONTACT_URL", "MEE6_URL", "STORE", "GUILD_ID"])
def test_another_setting_on_the_same_line_is_not_shown(variable: str) -> None:
    """A line break was lost, and what follows may be a secret."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({f"TRC_ENGAGE_{variable}": "lurkr TRC_ENGAGE_LURKR_TOKEN=kAnArY"})
    assert "kAnArY" not in str(caught.value)


def test_a_long_value_is_shortened() -> None:
    """An error stays one line, whatever was pasted."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({"TRC_ENGAGE_GUILD_ID": "x" * 10_000})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("token", ["Bearer kAnArY", "kAnArY\nX-Evil: 1", "kAnArYü"])
def test_a_bad_token_is_refused_unseen(token: str) -> None:
    """The variable is named, the value is not."""
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
    """Settings may be logged."""
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
    """What the settings let through the channel can use."""
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
    """At the start and not at the first alert; the variable is named, the value is not."""
    with pytest.raises(SettingsError, match="TRC_ENGAGE_ALERT_WEBHOOK must be the URL of a Discord web") as caught:
        Settings.from_mapping({"TRC_ENGAGE_ALERT_WEBHOOK": value})
    assert "kAnArY" not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize(
    "value", [DSN, "https://key:secret@sentry.example/7", "http://key@127.0.0.1:9000/1", "https://key@host/sub/path/1"]
)
def test_a_dsn_is_what_sentry_takes(value: str) -> None:
    """What the settings let through Sentry's client can use."""
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
    """Sentry's client would raise for most of these, with the value in its error."""
    with pytest.raises(SettingsError, match="SENTRY_DSN must be the DSN of a Sentry project") as caught:
        Settings.from_mapping({"SENTRY_DSN": value})
    assert "kAnArY" not in f"{caught.value!r} {caught.value}"


def test_what_is_told_stands_in_production_unless_said_otherwise() -> None:
    """As with Sentry itself."""
    assert Settings.from_mapping({"SENTRY_ENVIRONMENT": " "}).sentry_environment == "production"


@pytest.mark.parametrize("variable", ["TRC_ENGAGE_STORE", "TRC_ENGAGE_MEE6_URL"])
def test_a_password_in_an_address_is_not_repeated(variable: str) -> None:
    """It is refused, but not shown to whoever reads the log."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({variable: "mysql://trc:p@ss/w0rd@db/engage"})
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
    settings = Settings(tmp_path / "engage.db", "1", source_url="https://mee6.xyz\x07")
    with pytest.raises(SettingsError, match="TRC_ENGAGE_MEE6_URL") as caught, opened_with_source(settings):
        pass
    assert isinstance(caught.value.__cause__, InvalidValue)


def test_a_store_needs_a_folder_that_exists(tmp_path: Path) -> None:
    """A typing error must not found a second store somewhere."""
    with pytest.raises(SettingsError, match="its folder does not exist"):
        store_path(Settings(store=tmp_path / "nowhere" / "engage.db"))
    with pytest.raises(SettingsError, match="this is a folder"):
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
    with pytest.raises(SettingsError, match="TRC_ENGAGE_STORE is not set, and the default folder cannot be created"):
        store_path(Settings())

"""Settings from a file, an option or the environment: one store, forms without doubt, and no secret shown (17.1)."""

import stat
import subprocess
from pathlib import Path

import pytest

from support.command import ADA, Operator
from trc_engage.entrypoints.settings import SettingsError, read_env_file
from trc_engage.entrypoints.wording.alerts import describe_error

SECRET = "-".join(["kAnArY"] * 3)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return an operator whose shell sets nothing."""
    operator = Operator(tmp_path)
    del operator.env["TRC_ENGAGE_STORE"]
    return operator


def written(operator: Operator, text: str) -> str:
    """Write an env file, and return its path."""
    path = operator.folder / "trc-engage.env"
    path.write_text(text)
    return str(path)


def origins(operator: Operator, *options: str, **env: str) -> dict[str, tuple[str, str]]:
    """Return the settings that are set, and by what."""
    shown = operator.run(*options, "settings", "--json", env=env).json["settings"]
    return {one["variable"]: (one["value"], one["origin"]) for one in shown if one["origin"] != "default"}


def test_an_address_that_a_shell_would_cut_arrives_whole(operator: Operator) -> None:
    """`. FILE` ends at `&`: the schema was lost, and another store was taken in silence."""
    address = "postgresql://engage:p$HOME@db.example/trc?sslmode=require&schema=points"
    file = written(operator, f"# the store\nTRC_ENGAGE_STORE={address}\nTRC_ENGAGE_GUILD_ID='7'\n")
    line = f'set -a; . {file}; echo "$TRC_ENGAGE_STORE"'
    by_shell = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    assert "schema" not in by_shell.stdout
    assert origins(operator, "--env-file", file) == {
        "TRC_ENGAGE_STORE": ("postgresql://engage@db.example/trc (schema points)", file),
        "TRC_ENGAGE_GUILD_ID": ("7", file),
    }
    assert read_env_file(Path(file))["TRC_ENGAGE_STORE"] == address


def test_an_option_comes_before_the_environment_and_that_before_the_file(operator: Operator) -> None:
    """An empty variable is unset, in both; the file may be named by a variable."""
    file = written(operator, "TRC_ENGAGE_STORE=/srv/file.db\nTRC_ENGAGE_GUILD_ID=1\nTRC_ENGAGE_WEB_TITLE=\n")
    env = {"TRC_ENGAGE_ENV_FILE": file, "TRC_ENGAGE_STORE": "/srv/set.db", "TRC_ENGAGE_GUILD_ID": ""}
    assert origins(operator, **env) == {
        "TRC_ENGAGE_STORE": ("/srv/set.db", "environment"),
        "TRC_ENGAGE_GUILD_ID": ("1", file),
    }
    assert origins(operator, "--store", "/srv/option.db", **env)["TRC_ENGAGE_STORE"] == ("/srv/option.db", "--store")


def test_what_is_used_where_nothing_is_set_is_shown(operator: Operator) -> None:
    """The addresses of the services, above all; what has no default is not set."""
    shown = operator.run("settings", env={"TRC_ENGAGE_GUILD_ID": "7"})
    told = {line.split()[0]: line.split(maxsplit=1)[1] for line in shown.out.splitlines()}
    assert told["TRC_ENGAGE_MEE6_URL"].split() == ["https://mee6.xyz", "default"]
    assert told["TRC_ENGAGE_DISCORD_URL"].split() == ["https://discord.com/api/v10", "default"]
    assert told["TRC_ENGAGE_DISCORD_GUILD_ID"].split() == ["7", "default"]
    assert told["TRC_ENGAGE_MEE6_TOKEN"].split() == ["not", "set", "default"]


def test_what_one_command_makes_with_the_file_another_finds(operator: Operator) -> None:
    """And so does one that is told the store alone; without either there is none."""
    store = operator.folder / "engage.db"
    file = written(operator, f"TRC_ENGAGE_STORE={store}\n")
    assert operator.run("--env-file", file, "init").code == 0
    assert operator.run("--env-file", file, "members", "enroll", "m-1", "--discord-id", ADA).err == ""
    assert operator.run("--store", str(store), "show", "m-1").code == 0
    assert operator.run("show", "m-1").code == 74


def test_init_writes_a_file_that_later_commands_need_alone(operator: Operator) -> None:
    """It sets what was set, and the store in full; only its owner can read it, and no secret is shown."""
    env = {"TRC_ENGAGE_GUILD_ID": "7", "TRC_ENGAGE_WEB_TOKEN": SECRET, "TRC_ENGAGE_WEB_COLOR": "#0b6b4f"}
    file, store = operator.folder / "new.env", operator.folder / "engage.db"
    made = operator.run("--store", "engage.db", "init", "--env-file", "new.env", env=env)
    assert (made.code, made.err, SECRET in made.out, stat.S_IMODE(file.stat().st_mode)) == (0, "", False, 0o600)
    assert made.out.splitlines()[0] == f"created a store at {store}"
    assert read_env_file(file) == {**env, "TRC_ENGAGE_STORE": str(store)}
    assert operator.run("--env-file", str(file), "members", "enroll", "m-1", "--discord-id", ADA).err == ""
    assert operator.run("--env-file", str(file), "init").code == 0


def test_init_writes_over_no_file(operator: Operator) -> None:
    """It says so, and shows nothing of either."""
    file = written(operator, f"A={SECRET}\n")
    refused = operator.run("--store", "engage.db", "init", "--env-file", file, env={"TRC_ENGAGE_WEB_TOKEN": SECRET})
    assert (refused.code, "nothing was written to it" in refused.err, SECRET in refused.err) == (65, True, False)
    assert read_env_file(Path(file)) == {"A": SECRET}


@pytest.mark.parametrize("value", [f"'{SECRET}", f"{SECRET}\\", f"{SECRET} # {SECRET}", f"{SECRET}\n{SECRET}"])
def test_init_writes_no_value_that_others_would_read_otherwise(operator: Operator, value: str) -> None:
    """As systemd and docker do quotes, backslashes and what looks like a comment; the value is not shown."""
    env = {"TRC_ENGAGE_WEB_TITLE": value}
    refused = operator.run("--store", "engage.db", "init", "--env-file", "new.env", env=env)
    assert (refused.code, "TRC_ENGAGE_WEB_TITLE" in refused.err, SECRET in refused.err) == (78, True, False)
    assert not (operator.folder / "new.env").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"TRC_ENGAGE_STORE {SECRET}", "line 1 is not NAME=value"),
        (f"\n\nTRC-ENGAGE={SECRET}", "line 3 is not NAME=value"),
        (f'\nTRC_ENGAGE_WEB_TOKEN="{SECRET}\n', "line 2 is not NAME=value"),
        (f"A='{SECRET}\nB='", "line 1 is not NAME=value"),
        (f"A={SECRET}\x00", "line 1 is not NAME=value"),
        (f"# note\nA={SECRET} # the token", "line 2: put the comment on a line of its own"),
        (f"A={SECRET}\n\nA={SECRET}2", "line 3 sets A again, to another value"),
    ],
)
def test_a_form_that_leaves_doubt_is_refused_unseen(operator: Operator, text: str, says: str) -> None:
    """With the line's number and not with what stands on it."""
    refused = operator.run("--env-file", written(operator, text), "status")
    assert (refused.code, refused.out) == (78, "")
    assert says in refused.err
    assert SECRET not in refused.err
    assert "--env-file (TRC_ENGAGE_ENV_FILE)" in refused.err


@pytest.mark.parametrize("name", ["nowhere.env", ".", "latin.env", "/dev/zero"])
def test_a_file_that_cannot_be_read_is_named(operator: Operator, name: str) -> None:
    """It is a matter of the settings, and no other store is taken instead."""
    (operator.folder / "latin.env").write_bytes(b"A=\xff")
    refused = operator.run("--env-file", name, "members", "enroll", "m-1")
    assert (refused.code, name in refused.err, "cannot be read" in refused.err) == (78, True, True)
    assert [path.name for path in operator.folder.iterdir()] == ["latin.env"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=b#c", "b#c"),
        ("A=$HOME;`id`&%x%", "$HOME;`id`&%x%"),
        ("export A='b # c'", "b # c"),
        ("A='b=c # d'", "b=c # d"),
        ('A="b \\" c"', 'b " c'),
        ("\ufeffA=b\r\n", "b"),
        ("A=\nA=\n", ""),
    ],
)
def test_files_are_read_as_people_write_them(operator: Operator, text: str, value: str) -> None:
    """Nothing is expanded; quotes are no part of a value."""
    assert read_env_file(Path(written(operator, text))) == {"A": value}


def test_a_bad_store_is_named_as_the_option(operator: Operator) -> None:
    """And its password is not shown."""
    refused = operator.run("--store", f"mysql://trc:{SECRET}@db/engage", "status")
    assert (refused.code, refused.err.startswith("trc-engage: --store: 'mysql:…':"), SECRET in refused.err) == (
        78,
        True,
        False,
    )


def test_secrets_are_masked_and_slips_are_shown(operator: Operator) -> None:
    """In the table as in the JSON."""
    names = ("TRC_ENGAGE_MEE6_TOKEN", "TRC_ENGAGE_DISCORD_TOKEN", "TRC_ENGAGE_WEB_TOKEN", "TRC_ENGAGE_WEB_READ_TOKEN")
    lines = [*(f"{name}={SECRET}" for name in names), f"TRC_ENGAGE_SOTRE=/{SECRET}"]
    lines += [f"TRC_ENGAGE_ALERT_WEBHOOK=https://discord.example/{SECRET}", f"SENTRY_DSN=https://{SECRET}@host/1"]
    lines += [f"TRC_ENGAGE_HEARTBEAT_URL=https://beats.example/{SECRET}"]
    lines += [f"TRC_ENGAGE_STORE=postgresql://trc:{SECRET}@db/engage?password={SECRET}"]
    options = ("--env-file", written(operator, "\n".join(lines)), "settings")
    shown = operator.run(*options)
    assert shown.code == 0
    assert SECRET not in shown.out + shown.err + operator.run(*options, "--json").out
    assert shown.out.count("(not shown)") == len(names) + 3
    assert shown.err == "set, and not known: TRC_ENGAGE_SOTRE\n"


def test_words_and_sources_see_the_file_too(operator: Operator) -> None:
    """An error names the variables of the source that the file sets."""
    file = written(
        operator, "TRC_ENGAGE_SOURCE=lurkr\nTRC_ENGAGE_GUILD_ID=1\nTRC_ENGAGE_LURKR_URL=http://127.0.0.1:9\n"
    )
    store = ("--store", str(operator.folder / "engage.db"))
    operator.run(*store, "members", "enroll", "m-1", "--discord-id", ADA)
    failed = operator.run(*store, "--env-file", file, "sync", "--fresh")
    assert failed.code == 69
    assert "LURKR" in failed.err.upper()
    assert "MEE6" not in failed.err.upper()


def test_an_own_factory_finds_what_the_file_sets(operator: Operator) -> None:
    """It reads the environment, as every source of one's own does."""
    (operator.folder / "own.py").write_text(
        "import os\nclass Own:\n    def read(self, sought): raise SystemExit(os.environ['OWN_NAME'])\n"
        "def make():\n    return Own()\n"
    )
    file = written(operator, "TRC_ENGAGE_SOURCE=own:make\nOWN_NAME=ours\nTRC_ENGAGE_STORE=engage.db\n")
    env = {"PYTHONPATH": f"{operator.env['PYTHONPATH']}:{operator.folder}"}
    operator.run("--env-file", file, "members", "enroll", "m-1", "--discord-id", ADA, env=env)
    assert operator.run("--env-file", file, "sync", env=env).err == "ours\n"


def test_the_error_is_a_sentence() -> None:
    """As all errors of settings."""
    with pytest.raises(SettingsError) as caught:
        read_env_file(Path("/nowhere/x.env"))
    assert describe_error(caught.value) == (
        "--env-file (TRC_ENGAGE_ENV_FILE): '/nowhere/x.env': cannot be read: No such file or directory"
    )

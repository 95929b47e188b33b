"""Settings from a file, an option or the environment: one store, no ambiguous lines, and no secret shown (17.1)."""

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
    """Return an operator whose environment does not set a store."""
    operator = Operator(tmp_path)
    del operator.env["TRC_ENGAGE_STORE"]
    return operator


def written(operator: Operator, text: str) -> str:
    """Write an env file, and return its path."""
    path = operator.folder / "trc-engage.env"
    path.write_text(text)
    return str(path)


def origins(operator: Operator, *options: str, **env: str) -> dict[str, tuple[str, str]]:
    """Return the settings that are not defaults: each one's value and where it comes from."""
    shown = operator.run(*options, "settings", "--json", env=env).json["settings"]
    return {one["variable"]: (one["value"], one["origin"]) for one in shown if one["origin"] != "default"}


def test_an_address_that_a_shell_would_cut_arrives_whole(operator: Operator) -> None:
    """An address with `&` in an env file keeps its schema, which a shell that reads the file cuts off."""
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
    """`--store` overrides the environment, which overrides the env file; an empty variable counts as unset in both."""
    file = written(operator, "TRC_ENGAGE_STORE=/srv/file.db\nTRC_ENGAGE_GUILD_ID=1\nTRC_ENGAGE_WEB_TITLE=\n")
    env = {"TRC_ENGAGE_ENV_FILE": file, "TRC_ENGAGE_STORE": "/srv/set.db", "TRC_ENGAGE_GUILD_ID": ""}
    assert origins(operator, **env) == {
        "TRC_ENGAGE_STORE": ("/srv/set.db", "environment"),
        "TRC_ENGAGE_GUILD_ID": ("1", file),
    }
    assert origins(operator, "--store", "/srv/option.db", **env)["TRC_ENGAGE_STORE"] == ("/srv/option.db", "--store")


def test_what_is_used_where_nothing_is_set_is_shown(operator: Operator) -> None:
    """`settings` also shows defaults, such as the addresses of services, and "not set" where there is none."""
    shown = operator.run("settings", env={"TRC_ENGAGE_GUILD_ID": "7"})
    told = {line.split()[0]: line.split(maxsplit=1)[1] for line in shown.out.splitlines()}
    assert told["TRC_ENGAGE_MEE6_URL"].split() == ["https://mee6.xyz", "default"]
    assert told["TRC_ENGAGE_DISCORD_URL"].split() == ["https://discord.com/api/v10", "default"]
    assert told["TRC_ENGAGE_DISCORD_GUILD_ID"].split() == ["7", "default"]
    assert told["TRC_ENGAGE_MEE6_TOKEN"].split() == ["not", "set", "default"]


def test_what_one_command_makes_with_the_file_another_finds(operator: Operator) -> None:
    """What one command creates with the env file, others find with it or with `--store`, and not without either."""
    store = operator.folder / "engage.db"
    file = written(operator, f"TRC_ENGAGE_STORE={store}\n")
    assert operator.run("--env-file", file, "init").code == 0
    assert operator.run("--env-file", file, "members", "enroll", "m-1", "--discord-id", ADA).err == ""
    assert operator.run("--store", str(store), "show", "m-1").code == 0
    assert operator.run("show", "m-1").code == 74


def test_init_writes_a_file_that_later_commands_need_alone(operator: Operator) -> None:
    """`init --env-file` writes the settings and the full path of the store to a file that only its owner can read."""
    env = {"TRC_ENGAGE_GUILD_ID": "7", "TRC_ENGAGE_WEB_TOKEN": SECRET, "TRC_ENGAGE_WEB_COLOR": "#0b6b4f"}
    file, store = operator.folder / "new.env", operator.folder / "engage.db"
    made = operator.run("--store", "engage.db", "init", "--env-file", "new.env", env=env)
    assert (made.code, made.err, SECRET in made.out, stat.S_IMODE(file.stat().st_mode)) == (0, "", False, 0o600)
    assert made.out.splitlines()[0] == f"created a store at {store}"
    assert read_env_file(file) == {**env, "TRC_ENGAGE_STORE": str(store)}
    assert operator.run("--env-file", str(file), "members", "enroll", "m-1", "--discord-id", ADA).err == ""
    assert operator.run("--env-file", str(file), "init").code == 0


def test_init_writes_over_no_file(operator: Operator) -> None:
    """`init --env-file` refuses to overwrite a file, and shows no secret of either."""
    file = written(operator, f"A={SECRET}\n")
    refused = operator.run("--store", "engage.db", "init", "--env-file", file, env={"TRC_ENGAGE_WEB_TOKEN": SECRET})
    assert (refused.code, "nothing was written to it" in refused.err, SECRET in refused.err) == (65, True, False)
    assert read_env_file(Path(file)) == {"A": SECRET}


@pytest.mark.parametrize("value", [f"'{SECRET}", f"{SECRET}\\", f"{SECRET} # {SECRET}", f"{SECRET}\n{SECRET}"])
def test_init_writes_no_value_that_others_would_read_otherwise(operator: Operator, value: str) -> None:
    """`init` writes no value with quotes, backslashes, `#` or line breaks that others would read differently."""
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
    """An ambiguous line in an env file is refused with its number, and its text is not shown."""
    refused = operator.run("--env-file", written(operator, text), "status")
    assert (refused.code, refused.out) == (78, "")
    assert says in refused.err
    assert SECRET not in refused.err
    assert "--env-file (TRC_ENGAGE_ENV_FILE)" in refused.err


@pytest.mark.parametrize("name", ["nowhere.env", ".", "latin.env", "/dev/zero"])
def test_a_file_that_cannot_be_read_is_named(operator: Operator, name: str) -> None:
    """An env file that cannot be read ends the command with exit code 78, and no store is created elsewhere."""
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
    """Values in an env file are taken literally, without expansion, and quotes around them are removed."""
    assert read_env_file(Path(written(operator, text))) == {"A": value}


def test_a_bad_store_is_named_as_the_option(operator: Operator) -> None:
    """A malformed `--store` is reported as the option, and its password is not shown."""
    refused = operator.run("--store", f"mysql://trc:{SECRET}@db/engage", "status")
    assert (refused.code, refused.err.startswith("trc-engage: --store: 'mysql:…':"), SECRET in refused.err) == (
        78,
        True,
        False,
    )


def test_secrets_are_masked_and_slips_are_shown(operator: Operator) -> None:
    """`settings` masks every secret, in the table and in the JSON, and names a variable that is misspelled."""
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
    assert shown.err == "unknown settings, ignored: TRC_ENGAGE_SOTRE\n"


def test_words_and_sources_see_the_file_too(operator: Operator) -> None:
    """Errors name the variables of the source that the env file selects."""
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
    """A custom source's factory finds the env file's variables in the environment."""
    (operator.folder / "own.py").write_text(
        "import os\nclass Own:\n    def read(self, sought): raise SystemExit(os.environ['OWN_NAME'])\n"
        "def make():\n    return Own()\n"
    )
    file = written(operator, "TRC_ENGAGE_SOURCE=own:make\nOWN_NAME=ours\nTRC_ENGAGE_STORE=engage.db\n")
    env = {"PYTHONPATH": f"{operator.env['PYTHONPATH']}:{operator.folder}"}
    operator.run("--env-file", file, "members", "enroll", "m-1", "--discord-id", ADA, env=env)
    assert operator.run("--env-file", file, "sync", env=env).err == "ours\n"


def test_every_command_names_a_misspelled_variable(operator: Operator) -> None:
    """A variable that looks like one of ours is named with the right one; what Kubernetes sets for a service is not."""
    operator.run("init")
    file = written(operator, "TRC_ENGAGE_ALERT_WEBHOOKS=https://hooks.example/secret\n")
    env = {"TRC_ENGAGE_GUILDID": "7", "TRC_ENGAGE_PORT": "tcp://10.0.0.1:80", "TRC_ENGAGE_SERVICE_HOST": "10.0.0.1"}
    ran = operator.run("--env-file", file, "members", "list", env=env)
    assert ran.code == 0
    assert ran.err.splitlines() == [
        "TRC_ENGAGE_ALERT_WEBHOOKS is not a setting, so it is ignored; did you mean TRC_ENGAGE_ALERT_WEBHOOK?",
        "TRC_ENGAGE_GUILDID is not a setting, so it is ignored; did you mean TRC_ENGAGE_GUILD_ID?",
    ]


def test_the_error_is_a_sentence() -> None:
    """An env file that cannot be read is described with the option, the path and the reason."""
    with pytest.raises(SettingsError) as caught:
        read_env_file(Path("/nowhere/x.env"))
    assert describe_error(caught.value) == (
        "--env-file (TRC_ENGAGE_ENV_FILE): '/nowhere/x.env': cannot be read: No such file or directory"
    )

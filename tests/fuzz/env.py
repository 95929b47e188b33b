"""A file of settings gives settings, or an error that shows no secret."""

import re

from trc_engage.entrypoints.settings import (
    SECRET_FORM,
    Settings,
    SettingsError,
    read_env_file,
    settings_shown,
    variables,
)
from trc_engage.entrypoints.wording import safe
from trc_engage.entrypoints.wording.alerts import describe_error

from .members_file import folder
from .oracle import Target, check_message, claim

MARK = b"@@"
"""Stands for the secret in an input, …"""
SECRET = "hunter2-horse"  # noqa: S105
"""… which the name of a variable cannot contain."""
HIDDEN = rf"{SECRET_FORM}|TRC_ENGAGE_(ALERT_WEBHOOK|HEARTBEAT_URL)|SENTRY_DSN"
ADDRESSES = r"TRC_ENGAGE_(STORE|SOURCE|HEALTH_ADDRESS|\w+_URL)"
PASSWORD = rf"//[^/@]*:[^/@]*{SECRET}[^/]*@|(?i:pass\w*|pwd|secret|token)=[^&;]*{SECRET}"
"""How an address contains a secret."""


def read(given: bytes) -> None:
    """Load the settings of a file."""
    path = folder() / "engage.env"
    path.write_bytes(given.replace(MARK, SECRET.encode()))
    try:
        found = read_env_file(path)
    except SettingsError as error:
        check_message(safe(describe_error(error)))
        claim(SECRET not in describe_error(error), "a secret is in a message")
        return
    hidden = {name for name, value in found.items() if hides(name, value)}
    is_all_hidden = all(name in hidden for name, value in found.items() if SECRET in value)
    try:
        settings = Settings.from_mapping(found)
    except SettingsError as error:
        check_message(safe(describe_error(error)))
        claim(SECRET not in describe_error(error) or error.variable not in hidden, f"{error.variable} is in a message")
        return
    claim(SECRET not in repr(settings) or not is_all_hidden, "a secret is in the repr")
    for one in settings_shown(settings, dict.fromkeys(found, str(path))):
        claim(SECRET not in (one.value or "") or one.variable not in hidden, f"{one.variable} is shown")


def hides(name: str, value: str) -> bool:
    """Return whether the value of a variable may not be shown in full."""
    # In an address it may also be a user's name, which is shown.
    is_password = re.fullmatch(ADDRESSES, name) and value.count(SECRET) == 1 and re.search(PASSWORD, value)
    return bool(re.fullmatch(HIDDEN, name) or is_password)


ENV = Target(
    "files of settings",
    read,
    ("entrypoints/settings.py",),
    (
        *(f"{name}=".encode() for name, _ in variables()),
        *(
            b"export ",
            b"=@@",
            b'"',
            b"'",
            b"\\",
            b" #",
            b"\n",
            b"\r\n",
            b"${HOME}",
            b"$(id)",
            b"%",
            b";",
            b"\xff",
            b"\x00",
        ),
        *(
            b"https://",
            b"postgresql://ada:@@@db.example/trc?sslmode=require&schema=x",
            b"sqlite:///",
            b"https://a:@@@b/1",
        ),
        *(
            b"password=@@",
            b"127.0.0.1:9464",
            b"lurkr",
            b"package.module:factory",
            b"\xe2\x80\xa8",
            b"#0b6b4f",
            b":memory:",
        ),
    ),
)

"""What `Mee6Source` accepts, and what it refuses before any request."""

from typing import Any

import pytest

from trc_engage import InvalidValue
from trc_engage.adapters.boards import validate_base_url
from trc_engage.adapters.mee6 import Mee6Source

GUILD = "200000000000000001"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("guild_id", 200000000000000001),
        ("guild_id", ""),
        ("guild_id", "../admin"),
        ("guild_id", "0" + GUILD),
        ("base_url", "mee6.xyz"),
        ("base_url", "ftp://mee6.xyz"),
        ("base_url", "https://"),
        ("base_url", "https://mee6.xyz/?a=b"),
        ("base_url", "https://mee6.xyz/?"),
        ("base_url", "https://mee6.xyz/#a"),
        ("base_url", "https://mee6.xyz:99999"),
        ("base_url", "https://mee6.xyz:0"),
        ("base_url", "https://a..b"),
        ("base_url", f"https://{'a' * 64}.xyz"),
        ("base_url", "https://mee6.xyz\n"),
        ("base_url", ""),
        ("contact", ""),
        ("contact", "a\r\nAuthorization: b"),
        ("contact", "Ünal"),
        ("page_gap", -1),
        ("page_gap", float("nan")),
        ("page_gap", float("inf")),
        ("page_gap", "2"),
        ("page_gap", True),
        ("deadline_seconds", 0),
        ("deadline_seconds", 1e12),
        ("pages_max", 0),
        ("pages_max", 2.0),
        ("answer_bytes_max", -1),
    ],
)
def test_what_cannot_work_is_refused(field: str, value: Any) -> None:
    """A value that cannot work is refused, and the error names the field."""
    values: dict[str, Any] = {"guild_id": GUILD, field: value}
    with pytest.raises(InvalidValue) as caught:
        Mee6Source.open(values.pop("guild_id"), **values)

    assert caught.value.field == field


@pytest.mark.parametrize("token", ["", "Bearer s3cret", "s3cret\n", "s3crèt", "s3cret" * 1_000, b"s3cret"])
def test_a_refused_token_is_not_shown(token: Any) -> None:
    """A refused token is not shown in the message, in the error's values or in its cause."""
    with pytest.raises(InvalidValue, match=r"^token: ") as caught:
        Mee6Source.open(GUILD, token=token)

    assert "s3cr" not in f"{caught.value} {caught.value.args} {caught.value.__cause__}"


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    """A password in the address is refused without showing it, because it would be logged with every request."""
    with pytest.raises(InvalidValue, match=r"^base_url: ") as caught:
        Mee6Source.open(GUILD, base_url="https://user:s3cret@mee6.xyz")

    assert "s3cret" not in f"{caught.value} {caught.value.args}"


@pytest.mark.parametrize(
    ("base_url", "checked"),
    [
        ("https://mee6.xyz", "https://mee6.xyz"),
        ("HTTPS://MEE6.XYZ/", "https://mee6.xyz"),
        ("http://127.0.0.1:8080/mee6/", "http://127.0.0.1:8080/mee6"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_tidied(base_url: str, checked: str) -> None:
    """An address is normalized, and a path is kept, because it may be that of a proxy."""
    assert checked == validate_base_url(base_url)

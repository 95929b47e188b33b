"""A follower of the feed, as a process: it says each position that it gets, and then keeps how far it has come.

python follower.py HOST:PORT TOKEN FILE
"""

import json
import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from time import sleep

PAGE = 20
WAIT_SECONDS = 20


def say(what: object) -> None:
    """Write a line, which stays written if it is killed right after."""
    os.write(1, f"{what}\n".encode())


def follow(server: str, token: str, kept: Path) -> None:
    """Say where it begins, and then each position on a line, and a page's end as an empty one; until it is killed."""
    position = int(kept.read_text()) if kept.exists() else 0
    say(position)
    connection = HTTPConnection(server, timeout=2 * WAIT_SECONDS)
    while True:
        path = f"/api/feed?after={position}&limit={PAGE}&wait={WAIT_SECONDS}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        answer = json.load(response)
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
            sleep(int(response.headers["Retry-After"]))
            continue
        for entry in answer["entries"]:
            say(entry["position"])
        position = answer["after"]
        beside = kept.with_suffix(".new")
        beside.write_text(str(position))
        beside.replace(kept)
        say("")


if __name__ == "__main__":
    follow(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

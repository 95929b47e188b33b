"""A process that follows the feed: it prints each position that it gets, and then saves how far it has come.

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
    """Write a line unbuffered, so that it survives a kill right after."""
    os.write(1, f"{what}\n".encode())


def follow(server: str, token: str, kept: Path) -> None:
    """Print the first position, then one line for each position and an empty line after each page, until killed."""
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

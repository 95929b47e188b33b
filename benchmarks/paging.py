"""Reading a board of 100 pages over loopback."""

import json
import os
import sys
from pathlib import Path

import httpx
import population
from measured import timed

from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.testing.mee6 import Mee6Server

GUILD_ID = "200000000000000001"


def bare_pages(_store: Path, accounts: int) -> float:
    """Read every page with httpx and parse it, and do nothing else."""
    url = f"{os.environ['BENCH_URL']}/api/plugins/levels/leaderboard/{GUILD_ID}"
    with httpx.Client(headers={"User-Agent": "trc-engage benchmark"}, trust_env=False) as client:

        def read() -> None:
            for page in range(accounts // 1_000 + 1):
                json.loads(client.get(url, params={"limit": 1_000, "page": page}).content)

        return timed(read)


def read_pages(_store: Path, accounts: int) -> float:
    """Read every page with `Mee6Source`, looking for this many members spread over all of them."""
    everyone = population.discord_ids(100_000)
    sought = frozenset(everyone[:: len(everyone) // accounts])
    with Mee6Source.open(GUILD_ID, base_url=os.environ["BENCH_URL"], page_gap=0) as source:
        return timed(lambda: source.read(sought))


def serve(_store: Path, accounts: int) -> float:
    """Serve a board of this many rows until standard input ends."""
    with Mee6Server.start(guild_id=GUILD_ID) as server:
        for number, discord_id in enumerate(population.discord_ids(accounts)):
            server.board.join(discord_id, username=f"Member {number}", xp=accounts - number)
        with httpx.Client(trust_env=False) as client:
            for page in range(accounts // 1_000 + 1):
                url = f"{server.url}/api/plugins/levels/leaderboard/{GUILD_ID}?limit=1000&page={page}"
                client.get(url).raise_for_status()
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
    return 0

"""The services whose boards are read, each with its stand-in: what holds of one reader holds of all."""

import pytest

from trc_engage.adapters.boards import BoardSource
from trc_engage.adapters.lurkr import LurkrSource
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.testing.boards import BoardServer, LurkrServer
from trc_engage.testing.mee6 import Mee6Server

SOURCES: dict[type[BoardServer], type[BoardSource]] = {Mee6Server: Mee6Source, LurkrServer: LurkrSource}
SERVERS = [pytest.param(server, id=source.service.name) for server, source in SOURCES.items()]


def source_of(server: BoardServer) -> type[BoardSource]:
    """Return what reads the boards of such a server."""
    return SOURCES[type(server)]

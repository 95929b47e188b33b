"""The services whose boards are read, each with its stand-in, so that tests of one reader cover all."""

import pytest

from trc_engage.adapters.boards import BoardSource
from trc_engage.adapters.lurkr import LurkrSource
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.testing.boards import BoardServer, LurkrServer
from trc_engage.testing.mee6 import Mee6Server

SOURCES: dict[type[BoardServer], type[BoardSource]] = {Mee6Server: Mee6Source, LurkrServer: LurkrSource}
SERVERS = [pytest.param(server, id=source.service.name) for server, source in SOURCES.items()]


def source_of(server: BoardServer) -> type[BoardSource]:
    """Return the source class that reads the boards of a server."""
    return SOURCES[type(server)]

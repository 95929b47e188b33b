"""Both sources keep the shipped contract, over real sockets, and so does a plain file."""

from support.plain_source import InAFile
from trc_engage.adapters.lurkr import LurkrSource
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.testing import PagedSourceContract, SourceContract
from trc_engage.testing.boards import LurkrServer
from trc_engage.testing.mee6 import Mee6Server


class TestMee6(PagedSourceContract):
    """Every promise."""

    source_class, server_class = Mee6Source, Mee6Server


class TestLurkr(PagedSourceContract):
    """Every promise, by other facts."""

    source_class, server_class = LurkrSource, LurkrServer


class TestPlainFile(InAFile, SourceContract):
    """Every promise of a source without pages."""

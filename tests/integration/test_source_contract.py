"""Both services' sources and a plain file's fulfill the shipped contract, over real sockets where there are any."""

from support.plain_source import InAFile
from trc_engage.adapters.lurkr import LurkrSource
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.testing import PagedSourceContract, SourceContract
from trc_engage.testing.boards import LurkrServer
from trc_engage.testing.mee6 import Mee6Server


class TestMee6(PagedSourceContract):
    """Run the contract for sources with pages on MEE6's."""

    source_class, server_class = Mee6Source, Mee6Server


class TestLurkr(PagedSourceContract):
    """Run the contract for sources with pages on Lurkr's."""

    source_class, server_class = LurkrSource, LurkrServer


class TestPlainFile(InAFile, SourceContract):
    """Run the contract that any source must keep on one that reads a plain file."""

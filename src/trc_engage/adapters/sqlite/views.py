"""The views of a store alone."""

from ..sql.activity import Activity
from ..sql.views import Views
from .opened import OpenedFile


class SqliteViews(OpenedFile, Activity, Views):
    """The views of a store alone, for whoever only reads: quicker to load than all of `SqliteLedger`."""

"""Contract tests for stores, sources and rosters: pytest classes with one factory method each."""

from .ledger import DaysContract, PostingContract
from .members import MembersContract
from .roster import RosterContract as RosterContract
from .runs import ClockContract, RunsContract
from .source import PagedSourceContract as PagedSourceContract, SourceContract as SourceContract
from .views import RecordsContract, ViewsContract


class LedgerContract(
    MembersContract, PostingContract, DaysContract, ViewsContract, RunsContract, ClockContract, RecordsContract
):
    """Subclass it, name the class `Test…`, and implement `make_ledger`, which returns an empty store.

    A store with a `close` method is closed after each test. It must keep its data: override `reopen` if the same store
    is opened in another way, or set `lasts = False`. Override `unbalance` and `damage` to test the doctor's part too.
    """

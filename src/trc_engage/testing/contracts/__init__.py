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
    """Subclass it, name the class `Test…`, and give it `make_ledger`, which returns an empty store.

    A store with a `close` method is closed after each test. It is expected to last: `reopen` says how the same store is
    opened again, `lasts = False` that it does not. With `unbalance` and `damage` the doctor's part is tested too.
    """

"""What every store, every source and every roster promises, as pytest classes with one factory method each."""

from .audit import DamageContract, RecordsContract
from .boards import BoardsContract
from .lasting import InstantsContract, LastingContract, OriginsContract, RefusalsContract
from .ledger import ActivityContract, FactsContract, PostingContract
from .membership import MembershipContract
from .roster import RosterContract as RosterContract
from .runs import RunBookContract, ThreadsContract
from .source import PagedSourceContract as PagedSourceContract, SourceContract as SourceContract
from .streaks import ExcusalsContract, StreakLivesContract, WatchContract
from .views import CrowdContract, FindingContract, RanksContract, ViewsContract


class LedgerContract(
    FactsContract,
    PostingContract,
    MembershipContract,
    ActivityContract,
    ExcusalsContract,
    StreakLivesContract,
    WatchContract,
    RanksContract,
    CrowdContract,
    RunBookContract,
    BoardsContract,
    ViewsContract,
    FindingContract,
    RecordsContract,
    ThreadsContract,
    OriginsContract,
    RefusalsContract,
    InstantsContract,
    LastingContract,
    DamageContract,
):
    """Subclass it, name the class `Test…`, and give it `make_ledger`, which returns an empty store.

    A store with a `close` method is closed after each test. It is expected to last: `reopen` says how the same store is
    opened again, `lasts = False` that it does not. With `unbalance` and `damage` the doctor's part is tested too.
    """

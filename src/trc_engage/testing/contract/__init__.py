"""What every store promises, as one pytest class with one factory method."""

from .activity import ActivityContract
from .audit import RecordsContract
from .boards import BoardsContract
from .crowds import CrowdContract
from .damage import DamageContract
from .facts import FactsContract
from .finding import FindingContract
from .instants import InstantsContract
from .lasting import LastingContract
from .origins import OriginsContract
from .posting import PostingContract
from .ranks import RanksContract
from .running import RunBookContract
from .threads import ThreadsContract
from .views import ViewsContract


class LedgerContract(
    FactsContract,
    PostingContract,
    ActivityContract,
    RanksContract,
    CrowdContract,
    RunBookContract,
    BoardsContract,
    ViewsContract,
    FindingContract,
    RecordsContract,
    ThreadsContract,
    OriginsContract,
    InstantsContract,
    LastingContract,
    DamageContract,
):
    """Subclass it, name the class `Test…`, and give it `make_ledger`, which returns an empty store.

    A store with a `close` method is closed after each test. It is expected to last: `reopen` says how the same store is
    opened again, `lasts = False` that it does not. With `unbalance` and `damage` the doctor's part is tested too.
    """

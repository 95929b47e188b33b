"""All planted bugs in one list."""

from collections.abc import Sequence

from interleavings.bugs import BUGS, BUGS_OF_RUNS
from simulation.mutants import MUTANTS as OF_SIMULATION

from . import ledgers, rosters, sources
from .attendance import BUGS as OF_ATTENDANCE
from .histories import FAULTS as OF_HISTORIES
from .planting import Planted, spelled

CONTRACTS: Sequence[Planted] = [*ledgers.MUTANTS, *sources.MUTANTS, *rosters.MUTANTS]
"""Adapters, by the port whose promise they break."""
CATALOGUE: Sequence[Planted] = [
    *CONTRACTS,
    *(Planted("the simulation", name, "the oracle of a simulated life") for name in OF_SIMULATION),
    *(Planted("interleavings", name, "the judge of all schedules of two") for name in BUGS),
    *(Planted("runs", name, "the model of leases") for name in BUGS_OF_RUNS),
    *(Planted("attendance", spelled(plant.__name__), "the oracle of who comes and goes") for plant in OF_ATTENDANCE),
    *(Planted("histories", said[0].lower() + said[1:-1], "the judge of histories") for said in OF_HISTORIES),
]

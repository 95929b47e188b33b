"""Sources that break one promise each, as the name of the class says: a plain file, and MEE6 and Lurkr over HTTP."""

from ..planting import Planted
from . import paged, plain

MUTANTS: list[Planted] = [*plain.MUTANTS, *paged.MUTANTS]

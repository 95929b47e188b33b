"""Sources that break one promise each: a plain file, and MEE6 and Lurkr over HTTP, but for what the class is called."""

from ..planting import Planted
from . import paged, plain

MUTANTS: list[Planted] = [*plain.MUTANTS, *paged.MUTANTS]

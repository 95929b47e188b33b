"""Print the catalogue: where each bug is planted, what is broken, and what must catch it."""

from collections import Counter

from .catalogue import CATALOGUE

for one in CATALOGUE:
    print(f"{one.room:<15} {one.breaks:<65} {one.caught_by}")  # noqa: T201
rooms = Counter(one.room for one in CATALOGUE)
print(f"\n{len(CATALOGUE)}:", ", ".join(f"{room} {count}" for room, count in rooms.items()))  # noqa: T201

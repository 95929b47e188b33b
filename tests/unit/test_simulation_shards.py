"""A night of simulated lives can be split, stopped and continued."""

from pathlib import Path

from simulation.living import Asked, Lived
from simulation.shards import Finished, share

LIVES = [Asked(seed, 365) for seed in range(1, 9)]


def _ended(asked: Asked) -> Lived:
    breach = "two\nlines" if asked.seed == 2 else ""
    return Lived(asked, 35_040, "a digest", frozenset({"killed at commit"}), {"off": {"an alert is open": 2}}, breach)


def test_shards_share_all_lives() -> None:
    """Each life is in exactly one shard."""
    shards = [share(LIVES, f"{number}/3") for number in (1, 2, 3)]
    assert [one.seed for one in shards[1]] == [2, 5, 8]
    assert {one for shard in shards for one in shard} == set(LIVES)
    assert sum(map(len, shards)) == len(LIVES)


def test_what_has_ended_is_known_next_time(tmp_path: Path) -> None:
    """Ended lives are read back with their result; a line that a kill cut off is ignored, and can be written again."""
    path = tmp_path / "night.jsonl"
    for asked in LIVES[:3]:
        Finished(path).add(_ended(asked))
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert Finished(path).lives == {one: _ended(one) for one in LIVES[:2]}
    Finished(path).add(_ended(LIVES[2]))
    assert path.read_bytes() == whole

"""Five weeks of the daemon, with all that happens in a year of `tox -e year`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from year.life import begun
from year.machine import MEMORY_DISK
from year.verdict import breaches

WEEKS, MEMBERS, SEED = 5, 400, 1


def test_five_weeks_of_outages_backups_a_restore_and_an_upgrade() -> None:
    """After five weeks the verdict finds no breach, and it notices one award that is missing from the books."""
    with TemporaryDirectory(dir=MEMORY_DISK) as folder, begun(Path(folder), WEEKS, MEMBERS, SEED) as life:
        life.lived(lambda _: None)
        assert [*breaches(life)] == []
        award = life.books.awards.pop()
        assert any(f"m-{award.number:04}: points" in breach for breach in breaches(life))

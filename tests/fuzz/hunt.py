"""One hunt: `python -m fuzz.hunt TARGET SECONDS FOLDER` lets Atheris mutate inputs until the time is up.

Findings are written to the folder and the hunt goes on; only an input that takes too long or too much memory ends it.
"""

import re
import sys
import traceback
from pathlib import Path
from zlib import crc32

import atheris

with atheris.instrument_imports(
    include=["trc_engage", "dotenv", "email.utils", "email._parseaddr"], enable_loader_override=False
):
    from fuzz.targets import TARGETS
from fuzz.oracle import BYTES_MAX, MEMORY_MAX

HANGS_SECONDS = 60


def hunt(name: str, seconds: int, folder: Path) -> None:
    """Hunt, starting from the corpus in the folder; this does not return."""
    target = TARGETS[name]
    findings = folder / "findings"
    findings.mkdir(exist_ok=True)
    seen: set[str] = set()

    def once(given: bytes) -> None:
        try:
            target.tried(given)
        except Exception as error:
            steps = [(step.filename, step.lineno) for step in traceback.extract_tb(error.__traceback__)]
            where = f"{steps[1:]} {type(error).__name__} {re.sub('[0-9,]+', 'N', str(error))[:40]}"
            if where not in seen:
                seen.add(where)
                found = findings / f"{crc32(where.encode('utf-8', 'replace')):08x}"
                found.write_bytes(given)
                found.with_suffix(".txt").write_text(traceback.format_exc(), "utf-8", "backslashreplace")

    words = folder / "words"
    words.write_text("".join(f'"{_quoted(word)}"\n' for word in target.words))
    options = [
        *(f"-max_total_time={seconds}", f"-max_len={BYTES_MAX}", f"-dict={words}", "-print_final_stats=1"),
        *(
            f"-timeout={HANGS_SECONDS}",
            f"-report_slow_units={HANGS_SECONDS}",
            f"-rss_limit_mb={MEMORY_MAX}",
            f"-artifact_prefix={findings}/",
            "-verbosity=1",
        ),
    ]
    atheris.Setup([sys.argv[0], *options, str(folder / "corpus")], once)
    atheris.Fuzz()


def _quoted(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    hunt(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

"""The file of `members import`: imported whole, or without its bad rows, or not at all; each fault has its line."""

import atexit
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from support.community import Community
from trc_engage import EngageError
from trc_engage.entrypoints.cli import imports
from trc_engage.entrypoints.cli.members import BAD_ROWS_SHOWN_MAX, COUNTED
from trc_engage.entrypoints.cli.options import BadData
from trc_engage.entrypoints.wire.runs import Imported
from trc_engage.entrypoints.wording import safe
from trc_engage.entrypoints.wording.alerts import describe_error

from .begun import copied
from .oracle import Target, check_message, claim

SUFFIXES = {b"c": ".csv", b"j": ".json"}


@cache
def folder() -> Path:
    """Return a folder that exists as long as this process."""
    made = Path(mkdtemp(prefix="fuzz-"))
    atexit.register(rmtree, made)
    return made


def begun() -> Community:
    """Return a community of two, one of whom was forgotten."""
    community = Community()
    community.enroll("ada", "bo")
    community.engage.forget("bo")
    return community


def take(given: bytes) -> None:
    """Import a file; its first byte decides its suffix, and whether bad rows are skipped."""
    path = folder() / f"members{SUFFIXES.get(given[:1].lower(), '')}"
    path.write_bytes(given[1:])
    listed(path)
    community = copied(begun)
    before = everything(community)
    try:
        rows = imports.read(str(path), ["email"])
        planned = imports.imported(community.engage, rows, skip_bad=given[:1].isupper(), dry_run=True)
        claim(everything(community) == before, "a dry run wrote")
        done = imports.imported(community.engage, rows, skip_bad=given[:1].isupper())
    except BadData as error:
        check_message(safe(str(error)))
        claim(everything(community) == before, "something of a file that was refused was written")
        return
    claim(planned.counts == done.counts, "a dry run foretold something else")
    claim(done.is_written or everything(community) == before, "something of a file that was refused was written")
    Imported.of(done, outcome="imported", **{name: done.counts[name] for name in COUNTED})
    lines = given.count(b"\n") + given.count(b"\r") + 1
    claim(all(1 <= row.line <= lines for row in done.bad), "a row stands on a line that is not there")
    for row in done.bad[:BAD_ROWS_SHOWN_MAX]:
        check_message(safe(describe_error(row.error)))


def listed(path: Path) -> None:
    """Read the same file as a list of who is on the server."""
    try:
        ids = imports.read_ids(str(path))
    except EngageError as error:
        check_message(safe(describe_error(error)))
    else:
        claim(all(one.isdigit() for one in ids), "an id is none")


def everything(community: Community) -> str:
    """Return everything an import can change."""
    return f"{community.engage.members()} {community.engage.feed()}"


IMPORT = Target(
    "files of members import",
    take,
    ("entrypoints/cli/imports.py",),
    (
        *(b"member_id,discord_id,name\n", b"discord_id", b"member_id", b"forgotten", b"status", b"unlinked", b"email"),
        *(b'[{"member_id":"', b'{"member_id": "m-1"}\n{', b"<@80351110224678912>", b"80351110224678900", b"username"),
        *(
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"\r\n",
            b'"',
            b'""',
            b";",
            b"\t",
            b"\\u0000",
            b"\\ud800",
            b"e\xcc\x81",
            b"\xc3\xa9",
        ),
        *(
            b"1e999",
            b"NaN",
            b"null",
            b"true",
            b"80351110224678000",
            b"'=",
            b"\x00",
            b"\xe2\x80\xa8",
            b"ada",
            b"bo",
            b"[[",
            b"]]",
        ),
    ),
)

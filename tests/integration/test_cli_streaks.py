"""Awards, days and streaks on the command line, over a store that lived five weeks on a clock of its own."""

from datetime import UTC, date, datetime, timedelta

import pytest

from trc_engage import Board, Engage
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.entrypoints.cli import app

MONDAY = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
"""A Thursday; Wednesday is settled."""
IDS = {"m-1": "80351110224678901", "m-2": "80351110224678902", "m-3": "80351110224678903", "m-4": "80351110224678904"}
NAMES = {"m-1": "Ada", "m-2": "Grace\x1b[31m", "m-3": "Barbara", "m-4": "Dennis"}
HOLIDAY = date(2026, 2, 16)


class Weeks:
    """Five weeks of four members, from the first enrolment to `NOW`."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self.now = MONDAY
        self.xp = dict.fromkeys(IDS.values(), 1_000)
        self.engage = Engage(ledger=ledger, source=self, clock=lambda: self.now)

    def read(self, sought: frozenset[str], /) -> Board:
        """Answer as a source."""
        return Board({one: self.xp[one] for one in sought}, whole=True, rows=len(self.xp), pages=1)

    def sync(self, at: datetime, **gains: int) -> None:
        """Let somebody chat, and sync."""
        self.now = at
        for member, xp in gains.items():
            self.xp[IDS[member.replace("_", "-")]] += xp
        self.engage.sync()

    def live(self) -> None:
        """Ada chats every weekday but one, Grace on some, the others never."""
        for member, discord_id in IDS.items():
            self.engage.enroll(member, discord_id=discord_id, name=NAMES[member])
        self.engage.sync()
        for number in range((NOW - MONDAY).days + 1):
            day = MONDAY + timedelta(days=number)
            is_quiet = day.date() in {HOLIDAY, date(2026, 2, 11)} or day.weekday() == 6
            self.sync(day.replace(hour=8, minute=45))
            self.engage.settle()
            self.sync(
                day.replace(hour=9, minute=15), m_1=0 if is_quiet else 120, m_2=40 if day.weekday() in {0, 2} else 0
            )
        self.now = NOW
        self.engage.excuse(HOLIDAY, reason="Carnival")
        self.engage.award(
            "m-1", source="benchmark", points=50, key="benchmark:991", at=datetime(2026, 3, 4, 17, tzinfo=UTC)
        )
        self.engage.award("m-3", source="download", points=31, key="download:1", at=NOW)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the file of a store that lived through the weeks."""
    path = tmp_path_factory.mktemp("lived") / "engage.db"
    with SqliteLedger.open(path) as ledger:
        Weeks(ledger).live()
    return path.read_bytes()


@pytest.fixture
def operator(lived: bytes, tmp_path: Path) -> Iterator[Operator]:
    """Return an operator of that store, on its last morning."""
    (tmp_path / "engage.db").write_bytes(lived)
    with time_machine.travel(NOW, tick=False):
        yield Operator(tmp_path)


AWARD = ("award", "m-2", "--source", "benchmark", "--points", "50", "--key", "benchmark:992")
LATE = (*AWARD, "--at", "2026-03-03T15:00+01:00")
REVERSE = ("reverse", "benchmark:992", "--reason", "withdrawn", "--by", "admin-7")
ADJUST = ("adjust", "m-2", "--points", "-5", "--key", "fix:17", "--reason", "typo", "--by", "admin-7")


def test_points_are_booked_once(operator: Operator) -> None:
    """The second time says that it was so already; each answer tells the member's points."""
    told = [operator.call(*line, "--json").json for line in (AWARD, AWARD, ADJUST, ADJUST, REVERSE, REVERSE)]
    assert [(one["outcome"], one["points"], one["entry"]["points"]) for one in told] == [
        ("awarded", 54, 50),
        ("unchanged", 54, 50),
        ("adjusted", 49, -5),
        ("unchanged", 49, -5),
        ("reversed", -1, -50),
        ("unchanged", -1, -50),
    ]
    assert {one["late"] for one in told} == {None}
    assert (told[0]["entry"]["at"], told[0]["entry"]["key"]) == (NOW.isoformat(), "benchmark:992")
    assert (told[2]["entry"]["by"], told[2]["entry"]["reason"]) == ("admin-7", "typo")
    assert told[4]["entry"]["reverses"] == told[0]["entry"]["position"]


def test_late_news_says_how_the_streak_changed(operator: Operator) -> None:
    """An award for a settled Tuesday joins Monday to Wednesday, and its reversal parts them."""
    change = {"member_id": "m-2", "current_before": 1, "current_after": 3, "longest_before": 1, "longest_after": 3}
    assert operator.call(*LATE, "--json").json["late"] == change
    assert operator.call("show", "m-2", "--json").json["streak"]["current"] == 3
    assert operator.call(*REVERSE).out.splitlines()[-1].endswith("current 3 → 1, longest 3 → 1")


def test_bookings_are_told_in_words(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """What was booked, for which day, where the member stands; then the entries, explained."""
    lines = (LATE, LATE, ADJUST, REVERSE, REVERSE, ("history", "m-2", "--limit", "4"))
    assert "\n".join(operator.call(*line).out for line in lines) == snapshot


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ((*AWARD[:-3], "51", "--key", "benchmark:991"), 65, "posted as +50 points for 'benchmark' to member 'm-1'"),
        ((*AWARD, "--at", "2026-03-05T10:00"), 65, "at: '2026-03-05T10:00': it has no zone; give a time with its zone"),
        ((*AWARD, "--at", "yesterday"), 65, "at: 'yesterday': give a time with its zone, such as 2026-03-05T14:00Z"),
        ((*AWARD, "--at", "0001-01-01T00:00+14:00"), 65, "at: '0001-01-01T00:00+14:00': give a time"),
        ((*AWARD, "--at", "2026-03-06T10:00Z"), 65, "at most two minutes ahead"),
        (("award", "m-2", "--source", "Discord", "--points", "5", "--key", "k"), 65, "only a sync posts points"),
        (("award", "m-2", "--source", "benchmark", "--points", "-5", "--key", "k"), 65, "points: -5"),
        (("award", "m-2", "--source", "benchmark", "--points", "many", "--key", "k"), 2, "many"),
        (("award", "m-9", *AWARD[2:]), 65, "member 'm-9' is not enrolled"),
        (("reverse", "benchmark:17", *REVERSE[2:]), 65, "there is no award with key 'benchmark:17'"),
        (REVERSE[:-2], 2, "--by"),
        (ADJUST[:-4], 2, "--reason"),
        (("settle", "--accept-quiet", "tomorrow"), 65, "accept-quiet: 'tomorrow': give a day such as 2026-12-25"),
        (("excuse", "2026-03-04"), 2, "--undo"),
        (("excuse", "2026-03-04", "--undo", "--reason", "x"), 2, "--undo"),
        (("excuse", "2026-02-30", "--reason", "x"), 65, "day: '2026-02-30'"),
        (("excuse", "2026-02-28", "--reason", "x"), 65, "excuse a weekday"),
        (("explain", "m-9"), 65, "member 'm-9' is not enrolled"),
        (("explain", "m-1", "--days", "0"), 2, "--days"),
        (("leaderboard", "--month", "March"), 65, "month: 'March': give a month such as 2026-03"),
        (("leaderboard", "--member", "m-9"), 65, "member 'm-9' is not enrolled"),
        (("members", "forget", "m-1"), 2, "give --yes"),
        (("members", "forget", "m-9", "--yes"), 65, "member 'm-9' is not enrolled"),
        (("members", "hide", "m-9"), 65, "member 'm-9' is not enrolled"),
    ],
)
def test_what_cannot_be_is_refused_with_its_remedy(
    operator: Operator, line: tuple[str, ...], code: int, says: str
) -> None:
    """One line on stderr, the code of bad data or of wrong usage, and nothing written."""
    before = (operator.folder / "engage.db").read_bytes()
    ran = operator.call(*line)
    assert (ran.code, ran.out, says in ran.err) == (code, "", True), ran.err
    assert (operator.folder / "engage.db").read_bytes() == before


def test_a_used_up_key_stays_used_up(operator: Operator) -> None:
    """Also for the very same award."""
    assert [operator.call(*line).code for line in (AWARD, REVERSE, AWARD)] == [0, 0, 65]


def test_a_clock_behind_the_ledger_settles_nothing(operator: Operator) -> None:
    """Time never goes back."""
    with time_machine.travel(NOW - timedelta(days=2)):
        ran = operator.call("settle")
    assert (ran.code, "date -u" in ran.err) == (69, True)


def test_days_are_settled_and_pending_ones_explained(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """A day waits for a good sync after its end; whoever asks is told so, once, and that all is settled."""
    told = [operator.call("settle"), operator.call("settle", "--accept-quiet", "2026-03-04")]
    with time_machine.travel(NOW + timedelta(days=2)):
        told.append(operator.call("settle"))
        pending = operator.call("settle", "--json").json
    assert "\n".join(ran.out for ran in told) == snapshot
    assert pending["settled"] == []
    assert [(one["day"], one["cause"]) for one in pending["pending"]] == [
        ("2026-03-05", "no_sync"),
        ("2026-03-06", "no_sync"),
    ]


def test_a_store_without_accounts_settles_day_by_day(tmp_path: Path) -> None:
    """Nobody's XP is waited for; the days are listed, and many of them by their ends."""
    operator = Operator(tmp_path)
    with time_machine.travel(NOW) as time:
        operator.call("members", "enroll", "m-1")
        assert operator.call("settle").out == "settled: nothing to do; every day that is over is settled\n"
        time.shift(timedelta(days=1))
        assert operator.call("settle").out == "settled: Thu 2026-03-05\n"
        time.shift(timedelta(days=30))
        assert operator.call("settle").out == "settled: 30 days, Fri 2026-03-06 to Sat 2026-04-04\n"
        assert operator.call("settle", "--json").json == {"settled": [], "pending": []}


def test_an_excused_day_says_whose_streak_it_changed(operator: Operator) -> None:
    """And its undoing too; a second time does nothing."""
    excuse = ("excuse", "2026-02-11", "--reason", "MEE6 stood still")
    assert operator.call(*excuse).out == (
        "Wed 2026-02-11 is excused: it breaks no streak\n1 streak changed:\n  m-1: current 14 → 21, longest 14 → 21\n"
    )
    assert operator.call(*excuse, "--json").json == {"day": "2026-02-11", "outcome": "unchanged", "late": []}
    undone = operator.call("excuse", "2026-02-11", "--undo", "--json").json
    assert (undone["outcome"], len(undone["late"])) == ("required", 1)
    assert operator.call("excuse", "2026-12-25", "--reason", "Christmas").out.splitlines()[-1] == "no streak changed"


def test_a_member_is_shown_with_streak_and_calendar(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """Twelve weeks fit on a screen, every mark is a sign of its own, and the colours add nothing."""
    told = [operator.call("show", member).out for member in ("m-1", "m-2")]
    assert "\n".join(told) == snapshot
    assert max(len(line) for one in told for line in one.splitlines()) <= 80


def test_colours_are_for_a_terminal_that_has_them(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same signs in the same places; NO_COLOR takes the colours away."""
    plain = operator.call("show", "m-1").out
    for term, no_color, coloured in (("xterm-256color", "", True), ("xterm-256color", "1", False)):
        ours, theirs = pty.openpty()
        for name, value in {**operator.env, "TERM": term, "NO_COLOR": no_color}.items():
            monkeypatch.setenv(name, value)
        with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch:
            patch.setattr("sys.stdout", terminal)
            app(["show", "m-1"], standalone_mode=False)
        shown = os.read(ours, 65_536).decode().replace("\r\n", "\n")
        os.close(ours)
        assert ("\x1b[" in shown) == coloured
        lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()]
        assert lines == plain.splitlines()


def test_scripts_get_the_streak(operator: Operator) -> None:
    """In the JSON of `show`, without a calendar."""
    assert operator.call("show", "m-1", "--json").json["streak"] == {
        "current": 14,
        "longest": 14,
        "active_today": True,
        "at_risk": False,
        "next_milestone": 20,
    }
    assert operator.call("show", "m-2", "--json").json["streak"]["at_risk"] is True


def test_each_day_is_explained(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """What made it active, and how XP became points, from Ada's busy days to Grace's missed ones."""
    told = [
        operator.call(*line.split()).out for line in ("explain m-1 --days 6", "explain m-2", "explain m-3 --days 2")
    ]
    assert "\n".join(told) == snapshot
    assert max(len(line) for one in told for line in one.splitlines()) <= 80


def test_scripts_get_the_days(operator: Operator) -> None:
    """With marks, evidence and the entries that count for each."""
    days = operator.call("explain", "m-1", "--days", "23", "--json").json["days"]
    assert [day["mark"] for day in days[:6]] == ["active", "active", "active", "active", "weekend", "weekend"]
    assert (days[17]["day"], days[17]["mark"], days[22]["mark"]) == ("2026-02-16", "excused", "missed")
    wednesday = days[1]
    assert [one["source"] for one in wednesday["evidence"]] == ["discord", "benchmark"]
    assert wednesday["evidence"][0]["opens_at"] == "2026-03-04T08:45:00+00:00"
    assert sorted(entry["kind"] for entry in wednesday["entries"]) == ["award", "gain"]


def test_a_window_over_midnight_names_its_days(operator: Operator) -> None:
    """After an outage XP may have been earned on any of them."""
    with SqliteLedger.open(operator.folder / "engage.db") as ledger:
        weeks = Weeks(ledger)
        weeks.xp = dict.fromkeys(IDS.values(), 10_000)
        weeks.sync(NOW + timedelta(days=1))
    with time_machine.travel(NOW + timedelta(days=1)):
        out = operator.call("explain", "m-4", "--days", "2").out
    assert out.splitlines()[2:] == [
        "Fri 2026-03-06  active",
        "  XP rose between 2026-03-05 09:15 and 10:30 UTC",
        "Thu 2026-03-05  active",
        "  XP rose between 09:15 and 2026-03-06 10:30 UTC",
        "  2026-03-06 10:30  +90 points: XP 1,000 → 10,000 (+9,000), carried 0 → 0",
    ]


def test_who_leads_is_ranked(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """Of all time and of a month; equal points share a rank; one's own is told also outside the list."""
    operator.call("award", "m-4", "--source", "download", "--points", "31", "--key", "download:2")
    lines = ("leaderboard", "leaderboard --month 2026-03 --limit 1 --member m-2", "leaderboard --month 2025-12")
    assert "\n".join(operator.call(*line.split()).out for line in lines) == snapshot
    ranks = operator.call("leaderboard", "--json", "--limit", "3", "--member", "m-2").json
    assert (ranks["month"], [one["rank"] for one in ranks["ranks"]], ranks["own"]["rank"]) == (None, [1, 2, 2], 4)


def test_who_hides_is_left_out_and_still_ranked(operator: Operator) -> None:
    """Until shown again."""
    assert operator.call("members", "hide", "m-1", "--json").json["outcome"] == "hidden"
    hidden = operator.call("leaderboard", "--member", "m-1", "--json").json
    assert ([one["member_id"] for one in hidden["ranks"]], hidden["own"]["rank"]) == (["m-3", "m-2", "m-4"], 1)
    assert operator.call("leaderboard", "--member", "m-1").out.endswith("rank 1 with 81 points, outside this list\n")
    assert operator.call("members", "show", "m-1").out == "m-1: shown in leaderboards\n"
    assert operator.call("leaderboard", "--json").json["ranks"][0]["member_id"] == "m-1"


def test_a_member_is_forgotten_on_purpose_only(operator: Operator) -> None:
    """A script says --yes; then no name and no id is left, in the file neither, and the points are."""
    assert "Ada (m-1)" in operator.call("members", "forget", "m-1").err
    assert operator.call("members", "forget", "m-1", "--yes").out.startswith("m-1: forgotten")
    assert operator.call("members", "forget", "m-1", "--yes", "--json").json["outcome"] == "unchanged"
    shown = [operator.call(*line.split()).out for line in ("show m-1", "members list", "history m-1", "explain m-1")]
    assert all("(forgotten)" in out and "Ada" not in out and IDS["m-1"] not in out for out in shown)
    assert shown[0].startswith("(forgotten) (m-1): 81 points")
    assert IDS["m-1"].encode() not in (operator.folder / "engage.db").read_bytes()


@pytest.mark.parametrize(("answer", "outcome"), [("y", "m-1: forgotten"), ("n", "nothing was changed")])
def test_at_a_terminal_forgetting_is_asked(operator: Operator, answer: str, outcome: str) -> None:
    """Whoever sits there says yes or no."""
    ours, theirs = pty.openpty()
    process = operator.start("members", "forget", "m-1", stdin=theirs)
    os.write(ours, f"{answer}\n".encode())
    out, complaint = process.communicate(timeout=30)
    os.close(theirs)
    os.close(ours)
    assert (process.returncode, outcome in out + complaint) == (0, True)
    assert "Ada (m-1)" in complaint


COMMANDS = ("show", "history", "explain", "leaderboard", "award", "reverse", "adjust", "settle", "excuse")


@pytest.mark.parametrize("command", [*COMMANDS, "members enroll", "members forget"])
def test_every_help_has_an_example(operator: Operator, command: str) -> None:
    """To be typed as it stands; and the lines fit."""
    ran = operator.call(*command.split(), "--help")
    assert (ran.code, f"trc-engage {command}" in ran.out.partition("Example")[2]) == (0, True)
    assert max(map(len, ran.out.splitlines())) <= 80


def test_a_hostile_source_is_obeyed_by_nothing(operator: Operator) -> None:
    """Sources, keys and reasons are foreign text too; what has a control character is refused or made safe."""
    hostile = "a\u202e[b]x"
    assert operator.call(*AWARD[:3], hostile, *AWARD[4:]).code == 65
    line = ("adjust", "m-2", "--points", "1", "--key", "k", "--reason", "x\x1b]52;\x07\n\u202e", "--by", "\x1b[31m")
    assert operator.call(*line).code == 0
    for arguments in (("history", "m-2"), ("explain", "m-2"), ("show", "m-2")):
        assert operator.call(*arguments).out.replace("\n", "").isprintable()

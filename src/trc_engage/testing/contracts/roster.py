"""The roster contract (R25), as one pytest class."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from ...core.errors import ReadStopped, RosterError, RosterTrouble
from ...core.ports import Roster
from ...core.roster import Presence

ADA, BO = "300000000000000001", "300000000000000002"
SINCE = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
PAUSE_SECONDS_MAX = 5.0
TRIES_MAX = 3
UNCLEAR: Sequence[RosterTrouble] = ("malformed", "down")
FATAL = [kind for kind in get_args(RosterTrouble) if kind not in {*UNCLEAR, "distrusted"}]


class RosterContract:
    """Subclass it, name the class `Test…`, and say how to make a roster and to change the world that it asks.

    `troubles` are the kinds that your world can be in; `secret` must be shown nowhere.
    """

    troubles: Sequence[RosterTrouble] = (*FATAL, *UNCLEAR)
    secret = ""

    def make_roster(self) -> Roster:
        """Return a roster of a server on which nobody is yet."""
        raise NotImplementedError

    def arrive(self, discord_id: str, joined_at: datetime) -> None:
        """Let somebody be on the server since an instant."""
        raise NotImplementedError

    def leave(self, discord_id: str) -> None:
        """Let somebody leave the server."""
        raise NotImplementedError

    def fail(self, kind: RosterTrouble) -> None:
        """Be in a trouble until `recover`, of all its shapes in turn; a limit asks for a wait of 30 seconds."""
        raise NotImplementedError

    def recover(self) -> None:
        """End the trouble."""
        raise NotImplementedError

    def use_up(self) -> None:
        """Say with the next answers that none are left for the next 30 seconds."""
        raise NotImplementedError

    def asked_for(self) -> Sequence[str]:
        """Return whom the roster has asked for, oldest first."""
        raise NotImplementedError

    def pauses(self) -> Sequence[float]:
        """Return for how many seconds the roster has paused, each time."""
        raise NotImplementedError

    def test_it_says_which_server_it_is_about(self) -> None:
        """By its id, as a text of digits."""
        guild_id = self.make_roster().guild_id
        assert isinstance(guild_id, str)
        assert guild_id.isdecimal()

    def test_who_is_there_is_present_since_they_joined(self) -> None:
        """As an aware instant of UTC; everyone else is gone, also by a number that is nearly the same id."""
        roster = self.make_roster()
        assert roster.ask(ADA) == Presence("gone")
        self.arrive(ADA, SINCE)
        found = roster.ask(ADA)
        assert (found.kind, found.joined_at) == ("present", SINCE)
        assert found.joined_at is not None
        assert found.joined_at.utcoffset() == timedelta(0)
        for other in (BO, f"{ADA}0", ADA[:-1], "1"):
            assert roster.ask(other) == Presence("gone")

    def test_it_asks_anew_each_time(self) -> None:
        """Leaving and coming back, with a new date, are seen at once."""
        roster = self.make_roster()
        for joined_at in (SINCE, SINCE + timedelta(days=3)):
            self.arrive(ADA, joined_at)
            assert roster.ask(ADA) == Presence("present", joined_at)
            self.leave(ADA)
            assert roster.ask(ADA).kind == "gone"

    def test_it_asks_for_nobody_else(self) -> None:
        """One question for one id."""
        roster = self.make_roster()
        for one in (ADA, BO, ADA):
            self.arrive(one, SINCE)
            roster.ask(one)
        assert list(self.asked_for()) == [ADA, BO, ADA]

    @pytest.mark.parametrize("kind", FATAL)
    def test_where_nobody_can_be_asked_for_it_says_so(
        self, kind: RosterTrouble, caplog: pytest.LogCaptureFixture
    ) -> None:
        """By the kind, after one try, naming neither the secret nor the member; and it asks again later."""
        self._skip_unless_possible(kind)
        roster = self.make_roster()
        self.arrive(ADA, SINCE)
        self.fail(kind)
        with caplog.at_level(0), pytest.raises(RosterError) as raised:
            roster.ask(ADA)
        assert raised.value.kind == kind
        assert len(self.asked_for()) == 1
        self._assert_discreet(f"{raised.value!r} {raised.value} {roster!r}")
        assert not self.secret or self.secret not in caplog.text
        self.recover()
        assert roster.ask(ADA).kind == "present"

    @pytest.mark.parametrize("kind", UNCLEAR)
    def test_what_is_unclear_is_unknown(self, kind: RosterTrouble) -> None:
        """Never gone or present, whoever is asked for; it says why, and tries thrice at most."""
        self._skip_unless_possible(kind)
        roster = self.make_roster()
        self.arrive(ADA, SINCE)
        self.fail(kind)
        for one in 3 * (ADA, BO):
            found = roster.ask(one)
            assert found.kind == "unknown"
            assert found.why
            self._assert_discreet(found.why)
        assert len(self.asked_for()) <= 6 * TRIES_MAX
        self.recover()
        assert roster.ask(ADA).kind == "present"

    def test_a_wait_is_told_and_not_slept_through(self) -> None:
        """A refusal says how long to wait, and so does an answer after which none are left."""
        self._skip_unless_possible("rate_limited")
        roster = self.make_roster()
        self.arrive(ADA, SINCE)
        self.fail("rate_limited")
        with pytest.raises(RosterError) as raised:
            roster.ask(ADA)
        assert raised.value.retry_after is not None
        assert timedelta(seconds=29) <= raised.value.retry_after <= timedelta(seconds=31)
        self.recover()
        self.use_up()
        found = roster.ask(ADA)
        assert found.kind == "present"
        assert found.wait is not None
        assert found.wait > timedelta(seconds=25)
        assert max(self.pauses(), default=0) <= PAUSE_SECONDS_MAX

    def test_once_stopped_it_asks_for_nobody(self) -> None:
        """If it can be stopped."""
        roster = self.make_roster()
        stop = getattr(roster, "stop", None)
        if stop is None:
            pytest.skip("this roster cannot be stopped")
        stop()
        with pytest.raises(ReadStopped):
            roster.ask(ADA)
        assert not self.asked_for()

    def _skip_unless_possible(self, kind: RosterTrouble) -> None:
        if kind not in self.troubles:
            pytest.skip(f"this roster is never in the trouble {kind}")

    def _assert_discreet(self, text: str) -> None:
        assert not self.secret or self.secret not in text
        assert ADA not in text
        assert BO not in text

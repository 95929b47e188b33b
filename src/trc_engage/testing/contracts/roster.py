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
    """Subclass it, name the class `Test…`, and implement how to make a roster and to control the service it asks.

    `troubles` are the kinds that your service can have; `secret` must never be shown.
    """

    troubles: Sequence[RosterTrouble] = (*FATAL, *UNCLEAR)
    secret = ""

    def make_roster(self) -> Roster:
        """Return a roster of a server without members."""
        raise NotImplementedError

    def arrive(self, discord_id: str, joined_at: datetime) -> None:
        """Put a member on the server, joined at an instant."""
        raise NotImplementedError

    def leave(self, discord_id: str) -> None:
        """Remove a member from the server."""
        raise NotImplementedError

    def fail(self, kind: RosterTrouble) -> None:
        """Fail this way until `recover`, in all its forms in turn; a rate limit asks for a wait of 30 seconds."""
        raise NotImplementedError

    def recover(self) -> None:
        """End the trouble."""
        raise NotImplementedError

    def use_up(self) -> None:
        """Let the next answers say that no requests are left for 30 seconds."""
        raise NotImplementedError

    def asked_for(self) -> Sequence[str]:
        """Return the ids that the roster has asked about, oldest first."""
        raise NotImplementedError

    def pauses(self) -> Sequence[float]:
        """Return each pause of the roster, in seconds."""
        raise NotImplementedError

    def test_it_says_which_server_it_is_about(self) -> None:
        """`guild_id` is the id of the roster's server, a string of digits."""
        guild_id = self.make_roster().guild_id
        assert isinstance(guild_id, str)
        assert guild_id.isdecimal()

    def test_who_is_there_is_present_since_they_joined(self) -> None:
        """A member is present, with the join time in UTC; every other id is gone, even a similar one."""
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
        """A member who leaves, or returns with a new date, is seen at once."""
        roster = self.make_roster()
        for joined_at in (SINCE, SINCE + timedelta(days=3)):
            self.arrive(ADA, joined_at)
            assert roster.ask(ADA) == Presence("present", joined_at)
            self.leave(ADA)
            assert roster.ask(ADA).kind == "gone"

    def test_it_asks_for_nobody_else(self) -> None:
        """Each call sends one request, about the id asked for."""
        roster = self.make_roster()
        for one in (ADA, BO, ADA):
            self.arrive(one, SINCE)
            roster.ask(one)
        assert list(self.asked_for()) == [ADA, BO, ADA]

    @pytest.mark.parametrize("kind", FATAL)
    def test_where_nobody_can_be_asked_for_it_says_so(
        self, kind: RosterTrouble, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A fatal trouble raises its kind after one try, naming no secret and no member; later calls ask again."""
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
        """An unclear answer is unknown, with a reason, never gone or present; each id is tried at most 3 times."""
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
        """A refusal and an answer that uses up the limit both report the wait, and neither is slept through."""
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
        """After `stop`, if there is one, every call raises `ReadStopped` and sends nothing."""
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

"""A pool's room is given in the order in which callers came."""

from threading import Thread

from trc_engage.adapters.sql.pool import Room


def test_whoever_waits_is_not_overtaken() -> None:
    """A thread that gives its connection back and asks for one at once stands behind those that wait."""
    room, order = Room(1), list[str]()
    assert room.enter(0)

    def wait() -> None:
        assert room.enter(10)
        order.append("the one that waited")
        room.leave()

    waiter = Thread(target=wait)
    waiter.start()
    while not room._waiting:
        pass
    room.leave()
    assert room.enter(10)
    order.append("the busy one")
    waiter.join()
    assert order == ["the one that waited", "the busy one"]


def test_one_that_waited_in_vain_takes_no_room() -> None:
    """It is told so, and the next one is let in as ever."""
    room = Room(1)
    assert room.enter(0)
    assert not room.enter(0.01)
    room.leave()
    assert room.enter(0)
    assert not room.enter(0.01)

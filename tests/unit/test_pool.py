"""A pool serves its callers in the order in which they came."""

from threading import Thread

from trc_engage.adapters.sql.pool import Room


def test_whoever_waits_is_not_overtaken() -> None:
    """A thread that returns its connection and asks for another at once comes after those that already wait."""
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
    """A caller that waited in vain takes no room, and the next one is let in."""
    room = Room(1)
    assert room.enter(0)
    assert not room.enter(0.01)
    room.leave()
    assert room.enter(0)
    assert not room.enter(0.01)

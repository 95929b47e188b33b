"""What the simulation counts as a fault."""

from simulation.coverage import FAULTS, added, table, trouble_met, why_never
from simulation.troubles import KINDS


def test_every_trouble_of_the_server_is_counted_as_a_fault() -> None:
    """Every trouble that the server can have is among the faults that the table counts."""
    assert {trouble_met(one) for one in KINDS} <= {*FAULTS}


def test_pairs_that_never_met_are_named_with_the_reason() -> None:
    """A pair that cannot meet has a reason; the table names the other pairs that never met, and none that did."""
    fault, state = "HTTP 429", "an alert is open"
    told = table(added([{fault: {state: 2}}, {fault: {state: 3}}]))
    assert why_never(fault, "MEE6 asked to wait") == "nothing is asked (R21)"
    assert f"  {fault} / {state}\n" not in told
    assert f"  {fault} / a day is pending\n" in told

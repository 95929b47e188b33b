"""What the simulation counts as a fault."""

from simulation.coverage import FAULTS, added, table, trouble_met, why_never
from simulation.troubles import KINDS


def test_every_trouble_of_the_server_is_counted_as_a_fault() -> None:
    """The table has a row for each."""
    assert {trouble_met(one) for one in KINDS} <= {*FAULTS}


def test_pairs_that_never_met_are_named_with_the_reason() -> None:
    """Those that cannot meet are counted by why; the others are to be met."""
    fault, state = "HTTP 429", "an alert is open"
    told = table(added([{fault: {state: 2}}, {fault: {state: 3}}]))
    assert why_never(fault, "MEE6 asked to wait") == "nothing is asked (R21)"
    assert f"  {fault} / {state}\n" not in told
    assert f"  {fault} / a day is pending\n" in told

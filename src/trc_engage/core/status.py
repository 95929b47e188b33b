"""What an account's state is called."""

from typing import Literal

Status = Literal["waiting", "tracked", "absent", "left", "unlinked"]
"""Waiting: not yet opened. Absent: not found on a board that was read whole (R5)."""

NextReading = Literal["opens", "begins", "continues", "returns", "rebases"]
"""How the next reading is to be taken: it opens the account (R2), is the first XP of a zero-XP
record (R2a), continues the meter (R3), follows a return (R6), or is the first of another board,
to which the account is rebased whatever it says (R24)."""

"""Prove what can be proven: `python -m proofs` prints each law with its verdict.

CrossHair looks for values that break a law by following every path of the code with symbols in place of numbers. It
says "confirmed" only when no path is left. The laws of whole rows of days are checked by visiting every row instead.
The exit code is 1 if any law does not get its expected verdict.
"""

import re
import subprocess
import sys
from inspect import getdoc, getsourcelines, isfunction

from proofs import laws, rows

SECONDS_MAX = 120
"""For one law; the slowest takes two on an idle machine."""
CONFIRMED = "Confirmed over all paths."
REFUTED = {"rounding_each_gain_pays_the_same", "a_rise_above_the_last_reading_is_activity"}
"""Laws that must be refuted, to show that a false law is found."""


def verdicts() -> dict[str, str]:
    """Return what CrossHair says about each law."""
    command = [sys.executable, "-m", "crosshair", "check", "proofs.laws", "--analysis_kind=asserts", "--report_all"]
    limits = [f"--per_condition_timeout={SECONDS_MAX}", f"--per_path_timeout={SECONDS_MAX}"]
    answer = subprocess.run([*command, *limits], capture_output=True, text=True, check=False)
    said = {int(line): text for line, text in re.findall(r"laws\.py:(\d+): \w+: (.*)", answer.stdout)}
    found = {}
    for name, law in vars(laws).items():
        if isfunction(law) and law.__module__ == laws.__name__ and law.__annotations__["return"] is None:
            source, first = getsourcelines(law)
            texts = [text for line, text in said.items() if first <= line < first + len(source)]
            found[name] = texts[0] if texts else f"nothing was said: {answer.stderr[-300:]}"
    return found


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def proven() -> bool:
    """Print the verdict on each law; return whether all are as expected."""
    wrong = []
    for name, verdict in verdicts().items():
        is_right = "when calling" in verdict if name in REFUTED else verdict == CONFIRMED
        wrong += [] if is_right else [name]
        claim, *_ = (getdoc(vars(laws)[name]) or "").splitlines()
        say(f"{'ok   ' if is_right else 'WRONG'} {claim}\n      {name}: {verdict}")
    return not wrong


def visited() -> bool:
    """Visit every row of days; return whether none breaks a law."""
    count = 0
    for row, broken in rows.visit():
        count += 1
        if broken:
            say(f"WRONG {'; '.join(broken)}: {row}")
            return False
    say(f"ok    {count:,} rows of up to {rows.DAYS_MAX} days, at most {rows.EXCUSED_MAX} excused: streaks as defined")
    return True


if __name__ == "__main__":
    sys.exit(not all([proven(), visited()]))

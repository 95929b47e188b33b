"""Fuzzing by coverage: what comes from outside, bent until a path is taken that none took before.

`python -m fuzz` (in `tests`) hunts all targets for ten minutes each, two side by side; `tox -e fuzz` does just that.
Each target is a function of bytes that asks the public face, and an oracle that says what may come of it. The inputs
that matter are kept in `corpus`, a text for each target with an input a line, and an ordinary test replays them.
"""

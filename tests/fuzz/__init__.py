"""Coverage-guided fuzzing: input from outside is mutated until it takes a path that no other input took.

`python -m fuzz` (in `tests`) hunts all targets for ten minutes each, two side by side; `tox -e fuzz` does just that.
Each target is a function of bytes that calls the public names, and an oracle that says what may happen. The inputs
that matter are kept in `corpus`, a text for each target with one input per line, and an ordinary test replays them.
"""

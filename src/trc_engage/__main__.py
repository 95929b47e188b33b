"""Run `trc-engage` with `python -m trc_engage`."""

from .entrypoints.cli import main

main()

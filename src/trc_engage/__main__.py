"""`python -m trc_engage` is `trc-engage`."""

from .entrypoints.cli import main

main()

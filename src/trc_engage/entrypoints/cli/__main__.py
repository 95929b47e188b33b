"""`python -m trc_engage.entrypoints.cli` is `trc-engage`."""

from . import main

main()

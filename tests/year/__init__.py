"""A year of the daemon, lived in less than an hour: its own process and clock, a MEE6 and a webhook over real HTTP."""

"""Entry points: settings, wiring, command line, daemon and web app."""

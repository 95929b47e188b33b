"""The daemon: loop, supervisor, signals, health, logs and Sentry."""

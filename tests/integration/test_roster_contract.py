"""Discord's roster keeps the shipped contract, over real sockets."""

from support.rosters import DiscordContract


class TestDiscord(DiscordContract):
    """Every promise."""

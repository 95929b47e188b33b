"""Discord's roster fulfills the shipped contract, over real sockets."""

from support.rosters import DiscordContract


class TestDiscord(DiscordContract):
    """Run every test of the shipped roster contract on Discord's roster."""

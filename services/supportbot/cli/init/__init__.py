"""`supportbot init`: writes a bot's file, from questions or from the .env files of the earlier generation."""

from supportbot.cli.init.command import init_command

__all__ = ["init_command"]

"""Bots of the campaign stay apart from others too."""

from tests.e2e.conftest import hold_documented_ports

__all__ = ["hold_documented_ports"]

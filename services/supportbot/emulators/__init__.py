"""Loopback servers that behave like the vendors, for the demo and the tests. No production module is imported here."""

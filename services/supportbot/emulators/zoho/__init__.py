"""A loopback server that behaves like Zoho Accounts and Zoho Desk, for the demo and the tests.

Written from Zoho's public documentation. Strict where Zoho is strict, and stricter where Zoho is unclear: a client
that passes here has leaned on nothing that is not documented. Run it with `python -m supportbot.emulators.zoho`.
"""

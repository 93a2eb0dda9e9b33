"""The hosts of Zoho's data centres. Client, token and portal belong to one of them.

Sources: Zoho's OAuth page "Multi-DC support" for the accounts hosts; the Desk hosts as integrators report them. The
`api_domain` of a token's answer is no Desk host.
"""

from types import MappingProxyType
from typing import Final, NamedTuple

from supportbot.spec import DataCenter


class Hosts(NamedTuple):
    """Base URLs without a slash at the end."""

    accounts: str
    desk: str


HOSTS: Final = MappingProxyType(
    {
        DataCenter.US: Hosts("https://accounts.zoho.com", "https://desk.zoho.com"),
        DataCenter.EU: Hosts("https://accounts.zoho.eu", "https://desk.zoho.eu"),
        DataCenter.IN: Hosts("https://accounts.zoho.in", "https://desk.zoho.in"),
        DataCenter.AU: Hosts("https://accounts.zoho.com.au", "https://desk.zoho.com.au"),
        DataCenter.JP: Hosts("https://accounts.zoho.jp", "https://desk.zoho.jp"),
        DataCenter.CA: Hosts("https://accounts.zohocloud.ca", "https://desk.zohocloud.ca"),
        DataCenter.SA: Hosts("https://accounts.zoho.sa", "https://desk.zoho.sa"),
        DataCenter.CN: Hosts("https://accounts.zoho.com.cn", "https://desk.zoho.com.cn"),
    }
)

ACCOUNTS_SERVERS: Final = frozenset(hosts.accounts for hosts in HOSTS.values())
"""Where an authorisation code may be exchanged: the client's secret goes nowhere else."""

"""The NATS account of a platform as its operator sees it."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client
from tests.cluster.api.platform import Platform

from supportbot.nats_connection import Access, open_connection
from supportbot_operator.authority import own_authority
from supportbot_operator.config import load_config
from supportbot_operator.keys import parse_master_key


@asynccontextmanager
async def account(platform: Platform) -> AsyncIterator[Client]:
    """A connection that may do everything in the account; its credentials follow from the master key."""
    secret = await platform.admin.get("Secret", "supportbot-keys", platform.namespace)
    keys = parse_master_key(base64.b64decode(secret["data"]["master-key"]))
    credentials = platform.folder / "account.creds"
    credentials.write_text(own_authority(keys, load_config(platform.config)).operator_credentials())
    access = Access(credentials=credentials, ca=platform.folder / "ca.crt")
    async with open_connection(platform.nats.url, service="test", access=access) as connection:
        yield connection.nc

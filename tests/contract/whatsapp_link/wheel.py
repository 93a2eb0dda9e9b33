"""Prints, as JSON, what the gateway relies on in the installed library. Run by test_wheel in a process of its own."""

import importlib.metadata
import inspect
import json
import sys

from neonize.aioze.client import NewAClient
from neonize.events import INT_TO_EVENT
from neonize.proto import Neonize_pb2 as lib
from neonize.utils.enum import ChatPresence, ChatPresenceMedia, ClientType, MediaType, MediaTypeToMMS

from supportbot.whatsapp.neonize import link_events as codes

CALLS = (
    *("__init__", "connect", "disconnect", "stop", "logout", "get_me", "send_message", "send_chat_presence"),
    *("download_media_with_path", "get_joined_groups", "PairPhone"),
)


def main() -> None:
    client = NewAClient("unused", uuid="unused")
    json.dump(
        {
            "version": importlib.metadata.version("neonize"),
            "calls": {name: list(inspect.signature(getattr(NewAClient, name)).parameters) for name in CALLS},
            "execute": list(inspect.signature(client.event.execute).parameters),
            "hears_login_words": hasattr(client, "_NewAClient__onLoginStatus"),
            "events": {str(code): INT_TO_EVENT[code].DESCRIPTOR.name for code in sorted((codes.DEVICE, *codes.WANTED))},
            "required": sorted(
                f"{kind}.{field.name}"
                for kind in ("Message", "UndecryptableMessage", "GroupInfoEvent", "TemporaryBan", "LoggedOut")
                for field in getattr(lib, kind).DESCRIPTOR.fields
                if field.is_required
            ),
            "contents": sorted(
                field.number for field in lib.Message.DESCRIPTOR.fields if field.message_type and field.name != "Info"
            ),
            "media": {kind.name: MediaTypeToMMS[kind.name].value for kind in list(MediaType)[:4]},
            "words": [ChatPresence(0).name, ChatPresence(1).name, ChatPresenceMedia(0).name, ClientType.CHROME.name],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()

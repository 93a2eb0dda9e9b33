"""The emulator's protocol buffers are the library's: names, numbers and types."""

import asyncio
import json
import sys
from typing import Any

from tests.emulators.whatsapp.protocol.protobuf import Schema
from tests.emulators.whatsapp.schemas import BY_LIBRARY_NAME

_TYPES = {
    1: "double",
    3: "int",
    4: "int",
    5: "int",
    8: "bool",
    9: "str",
    11: "message",
    12: "bytes",
    13: "int",
    14: "int",
}
"""Of `FieldDescriptor.type`; the emulator's name for it."""
_DESCRIBE = """
import json, sys
from google.protobuf import descriptor_pool
from neonize.proto import Neonize_pb2
from neonize.proto.waAdv import WAAdv_pb2
from neonize.proto.waWa6 import WAWebProtobufsWa6_pb2
pool, described = descriptor_pool.Default(), {}
def describe(message):
    if message.full_name not in described:
        described[message.full_name] = {
            field.name: [field.number, field.type, field.is_repeated, getattr(field.message_type, "full_name", "")]
            for field in message.fields
        }
        for field in message.fields:
            if field.message_type:
                describe(field.message_type)
for name in sys.argv[1:]:
    describe(pool.FindMessageTypeByName(name))
json.dump(described, sys.stdout)
"""


async def described() -> dict[str, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _DESCRIBE, *BY_LIBRARY_NAME),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    messages: dict[str, dict[str, Any]] = json.loads(stdout)
    return messages


def differences(name: str, schema: Schema, library: dict[str, dict[str, Any]], seen: set[int]) -> list[str]:
    """What a schema says otherwise than the library, downwards."""
    if id(schema) in seen:
        return []
    seen.add(id(schema))
    found = []
    for field, (number, kind) in schema.items():
        inner = kind[0] if isinstance(kind, list) else kind
        inner = inner() if callable(inner) else inner
        type_name = inner if isinstance(inner, str) else "message"
        theirs = library[name].get(field)
        ours = [number, type_name, isinstance(kind, list)]
        if theirs is None or [theirs[0], _TYPES.get(theirs[1]), theirs[2]] != ours:
            found.append(f"{name}.{field}: {ours}, not {theirs}")
        elif not isinstance(inner, str):
            found += differences(theirs[3], inner, library, seen)
    return found


async def test_no_field_is_another_in_the_library() -> None:
    library = await described()

    assert [
        line for name, schema in BY_LIBRARY_NAME.items() for line in differences(name, schema, library, set())
    ] == []

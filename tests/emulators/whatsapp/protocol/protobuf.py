"""Protocol buffers on the wire, by schemas written as dictionaries: what a test needs of them, and no generated code.

A schema maps a name to `(number, kind)`; a kind is a scalar's name, another schema, or a list of one for repeated
fields. Values are dictionaries of the same names. Unknown fields are skipped.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Kind: TypeAlias = "str | Schema | Callable[[], Schema] | list[str | Schema | Callable[[], Schema]]"
Schema: TypeAlias = Mapping[str, tuple[int, Kind]]
"""A schema that contains itself is written as a function that returns it."""
Values: TypeAlias = dict[str, Any]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIRE_TYPES = {"int": _VARINT, "bool": _VARINT, "double": _FIXED64, "bytes": _BYTES, "str": _BYTES}


class MalformedMessageError(ValueError):
    """Bytes that are no protocol buffer of the schema."""


def encode(schema: Schema, values: Mapping[str, Any]) -> bytes:
    """Serialize; fields in the order of the values, which is the order of a schema's author.

    Raises:
        KeyError: A name that the schema does not have.
    """
    output = bytearray()
    for name, value in values.items():
        number, kind = schema[name]
        for item in value if isinstance(kind, list) else [value]:
            output += _encode_field(number, kind[0] if isinstance(kind, list) else kind, item)
    return bytes(output)


def decode(schema: Schema, data: bytes) -> Values:
    """Parse; repeated fields are lists, absent fields are absent.

    Raises:
        MalformedMessageError: The bytes do not fit.
    """
    by_number = {number: (name, kind) for name, (number, kind) in schema.items()}
    values: Values = {}
    for number, raw in _fields(data):
        if number not in by_number:
            continue
        name, kind = by_number[number]
        if isinstance(kind, list):
            values.setdefault(name, []).append(_decode_value(kind[0], raw))
        else:
            values[name] = _decode_value(kind, raw)
    return values


def encode_varint(value: int) -> bytes:
    """A base-128 number; negative ones as 64-bit two's complement."""
    value &= 2**64 - 1
    output = bytearray()
    while value > 0x7F:
        output.append(value & 0x7F | 0x80)
        value >>= 7
    output.append(value)
    return bytes(output)


def _resolve(kind: Any) -> Any:
    return kind() if callable(kind) else kind


def _encode_field(number: int, kind: Any, value: Any) -> bytes:
    wire_type = _WIRE_TYPES.get(kind, _BYTES) if isinstance(kind, str) else _BYTES
    tag = encode_varint(number << 3 | wire_type)
    if wire_type == _VARINT:
        return tag + encode_varint(int(value))
    if wire_type == _FIXED64:
        return tag + struct.pack("<d", value)
    body = _encode_body(kind, value)
    return tag + encode_varint(len(body)) + body


def _encode_body(kind: Any, value: Any) -> bytes:
    match kind:
        case "str":
            return str(value).encode()
        case "bytes":
            return bytes(value)
        case _:
            return encode(_resolve(kind), value)


def _decode_value(kind: Any, raw: int | bytes) -> Any:
    if isinstance(raw, int):
        return bool(raw) if kind == "bool" else raw
    match kind:
        case "double":
            return struct.unpack("<d", raw)[0]
        case "str":
            return raw.decode()
        case "bytes":
            return raw
        case "int" | "bool":
            raise MalformedMessageError(f"a number is {len(raw)} bytes long")
        case _:
            return decode(_resolve(kind), raw)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        tag, position = _decode_varint(data, position)
        match tag & 7:
            case 0:
                value, position = _decode_varint(data, position)
                yield tag >> 3, value
                continue
            case 2:
                length, position = _decode_varint(data, position)
            case 1:
                length = 8
            case 5:
                length = 4
            case other:
                raise MalformedMessageError(f"unknown wire type {other}")
        if position + length > len(data):
            raise MalformedMessageError(f"field {tag >> 3} ends after the message")
        yield tag >> 3, data[position : position + length]
        position += length


def _decode_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
        shift += 7
    raise MalformedMessageError("a number has no end")

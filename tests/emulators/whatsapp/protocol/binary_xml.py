"""WhatsApp's binary XML: nodes with attributes, written with bytes and read with the token dictionaries.

Follows whatsmeow's `binary` package. Strings are always written in full, which every reader takes; JIDs have a form of
their own, and an attribute that is meant as a JID is ignored when it comes as a string.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

USER, LID, GROUP = "s.whatsapp.net", "lid", "g.us"


class Jid(NamedTuple):
    """An address; `user` is empty for a server."""

    user: str
    server: str
    device: int = 0

    def __str__(self) -> str:
        device = f":{self.device}" if self.device else ""
        return f"{self.user}{device}@{self.server}" if self.user else self.server

    @property
    def bare(self) -> "Jid":
        """Without the device."""
        return self._replace(device=0)

    @classmethod
    def parse(cls, text: str) -> "Jid":
        """From `user[:device]@server`, or a server alone."""
        user, at, server = text.rpartition("@")
        name, _, device = user.partition(":")
        return cls(name, server, int(device or 0)) if at else cls("", text)


SERVER = Jid("", USER)
Attribute: TypeAlias = str | int | Jid
Attributes: TypeAlias = dict[str, Attribute]
Content: TypeAlias = "bytes | str | Sequence[Node] | None"


class MalformedNodeError(ValueError):
    """Bytes that are no node."""


@dataclass(frozen=True)
class Node:
    """An element. Text content is read as bytes, which is what the wire has; attributes are read as strings or JIDs."""

    tag: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    content: Content = None

    @property
    def children(self) -> Sequence["Node"]:
        """The elements inside; none where the content is bytes."""
        return self.content if isinstance(self.content, Sequence) and not isinstance(self.content, bytes | str) else ()

    @property
    def data(self) -> bytes:
        """The content as bytes; empty where it is elements or nothing."""
        if isinstance(self.content, str):
            return self.content.encode()
        return self.content if isinstance(self.content, bytes) else b""

    def child(self, *tags: str) -> "Node | None":
        """The first element at a path."""
        node: Node | None = self
        for tag in tags:
            node = next((child for child in node.children if child.tag == tag), None) if node else None
        return node

    def all(self, tag: str) -> Iterator["Node"]:
        """The elements of a tag, directly inside."""
        return (child for child in self.children if child.tag == tag)

    def text(self, name: str) -> str:
        """An attribute as text; empty when absent."""
        return str(self.attributes.get(name, ""))

    def jid(self, name: str) -> Jid:
        """An attribute as a JID.

        Raises:
            MalformedNodeError: It is absent or something else.
        """
        value = self.attributes.get(name)
        if not isinstance(value, Jid):
            raise MalformedNodeError(f"<{self.tag}> has no JID {name!r}, but {value!r}")
        return value


class Tokens(NamedTuple):
    """The dictionaries: strings that are written as one byte, and four tables of those written as two."""

    single: Sequence[str]
    double: Sequence[Sequence[str]]


def encode(node: Node) -> bytes:
    """A node, uncompressed, with its flag byte."""
    output = bytearray(b"\0")
    _write_node(output, node)
    return bytes(output)


def decode(data: bytes, tokens: Tokens) -> Node:
    """A node with its flag byte.

    Raises:
        MalformedNodeError: The bytes do not fit.
    """
    body = zlib.decompress(data[1:]) if data[0] & 2 else data[1:]
    try:
        return _Reader(body, tokens).node()
    except (IndexError, UnicodeDecodeError) as exc:
        raise MalformedNodeError(f"a node of {len(body)} bytes cannot be read: {exc}") from exc


def _write_node(output: bytearray, node: Node) -> None:
    _write_list(output, 1 + 2 * len(node.attributes) + (node.content is not None))
    _write_bytes(output, node.tag.encode())
    for name, value in node.attributes.items():
        _write_bytes(output, name.encode())
        if isinstance(value, Jid):
            _write_jid(output, value)
        else:
            _write_bytes(output, str(value).encode())
    if isinstance(node.content, bytes | str):
        _write_bytes(output, node.content.encode() if isinstance(node.content, str) else node.content)
    elif node.content is not None:
        _write_list(output, len(node.content))
        for child in node.content:
            _write_node(output, child)


def _write_list(output: bytearray, length: int) -> None:
    if length == 0:
        output.append(0)
    elif length < 256:
        output += bytes([248, length])
    else:
        output.append(249)
        output += length.to_bytes(2)


def _write_bytes(output: bytearray, data: bytes) -> None:
    if len(data) < 256:
        output += bytes([252, len(data)])
    elif len(data) < 1 << 20:
        output.append(253)
        output += len(data).to_bytes(3)
    else:
        output.append(254)
        output += len(data).to_bytes(4)
    output += data


def _write_jid(output: bytearray, jid: Jid) -> None:
    if jid.device:
        output += bytes([247, 1 if jid.server == LID else 0, jid.device])
        _write_bytes(output, jid.user.encode())
        return
    output.append(250)
    if jid.user:
        _write_bytes(output, jid.user.encode())
    else:
        output.append(0)
    _write_bytes(output, jid.server.encode())


class _Reader:
    def __init__(self, data: bytes, tokens: Tokens) -> None:
        self._data = data
        self._tokens = tokens
        self._position = 0

    def node(self) -> Node:
        length = self._list_length(self._byte())
        tag = self._value(is_text=True)
        if not length or not isinstance(tag, str):
            raise MalformedNodeError(f"a node begins with {tag!r}")
        attributes: dict[str, Attribute] = {}
        for _ in range((length - 1) // 2):
            name = str(self._value(is_text=True))
            value = self._value(is_text=True)
            attributes[name] = value if isinstance(value, Jid) else str(value)
        content = self._value(is_text=False) if length % 2 == 0 else None
        return Node(tag, attributes, str(content).encode() if isinstance(content, Jid) else content)

    def _value(self, *, is_text: bool) -> str | bytes | Jid | list[Node] | None:
        tag = self._byte()
        if tag == 0:
            return None
        if tag in (248, 249):
            return [self.node() for _ in range(self._list_length(tag))]
        if tag in (252, 253, 254):
            length = self._number({252: 1, 253: 3, 254: 4}[tag])
            data = self._take(length & 0xFFFFF if tag == 253 else length)
            return data.decode() if is_text else data
        if tag in (247, 250):
            return self._jid(tag)
        text = self._token(tag)
        return text if is_text else text.encode()

    def _token(self, tag: int) -> str:
        if 236 <= tag <= 239:
            return self._tokens.double[tag - 236][self._byte()]
        if tag in (251, 255):
            return self._packed("0123456789ABCDEF" if tag == 251 else "0123456789-.")
        if 0 < tag < len(self._tokens.single):
            return self._tokens.single[tag]
        raise MalformedNodeError(f"unknown token {tag}")

    def _packed(self, alphabet: str) -> str:
        head = self._byte()
        nibbles = [half for byte in self._take(head & 0x7F) for half in (byte >> 4, byte & 15)]
        return "".join(alphabet[nibble] for nibble in (nibbles[:-1] if head & 0x80 else nibbles))

    def _jid(self, tag: int) -> Jid:
        if tag == 247:
            agent, device = self._byte(), self._byte()
            return Jid(str(self._value(is_text=True)), LID if agent == 1 else USER, device)
        user = self._value(is_text=True)
        return Jid(str(user or ""), str(self._value(is_text=True)))

    def _list_length(self, tag: int) -> int:
        if tag not in (0, 248, 249):
            raise MalformedNodeError(f"a list begins with {tag}")
        return self._number(tag - 247) if tag else 0

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size))

    def _byte(self) -> int:
        self._position += 1
        return self._data[self._position - 1]

    def _take(self, length: int) -> bytes:
        self._position += length
        if self._position > len(self._data):
            raise MalformedNodeError(f"a node ends after {len(self._data)} bytes, inside a value")
        return self._data[self._position - length : self._position]

"""Binary XML and protocol buffers: known bytes, and whatever is written can be read."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.emulators.whatsapp.protocol import binary_xml, protobuf
from tests.emulators.whatsapp.protocol.binary_xml import LID, SERVER, USER, Jid, MalformedNodeError, Node, Tokens
from tests.emulators.whatsapp.protocol.protobuf import MalformedMessageError, Schema

TOKENS = Tokens(["", "xmlstreamstart", "xmlstreamend", USER, "type", "iq"], [["read-self", "get"], [], ["played"], []])

words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
jids = st.builds(
    Jid,
    user=st.text(alphabet="0123456789", min_size=1, max_size=15),
    server=st.sampled_from([USER, LID]),
    device=st.integers(0, 99),
)
nodes = st.recursive(
    st.builds(
        Node,
        words,
        st.dictionaries(words, words | jids | st.just(SERVER), max_size=4),
        st.none() | st.binary(max_size=400),
    ),
    lambda inner: st.builds(
        Node, words, st.dictionaries(words, words, max_size=2), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(node=nodes)
def test_a_node_that_was_written_is_read(node: Node) -> None:
    assert binary_xml.decode(binary_xml.encode(node), TOKENS) == node


@pytest.mark.parametrize(
    ("data", "node"),
    [
        ("00 f8 01 05", Node("iq")),
        ("00 f8 03 05 04 ec 01", Node("iq", {"type": "get"})),
        ("00 f8 03 05 04 ee 00", Node("iq", {"type": "played"})),
        ("00 f8 03 05 04 ff 02 12 3b", Node("iq", {"type": "123."})),
        ("00 f8 03 05 04 ff 82 12 3f", Node("iq", {"type": "123"})),
        ("00 f8 03 05 04 fb 02 3e b0", Node("iq", {"type": "3EB0"})),
        ("00 f8 03 05 04 fa 00 03", Node("iq", {"type": SERVER})),
        ("00 f8 03 05 04 fa ff 01 12 03", Node("iq", {"type": Jid("12", USER)})),
        ("00 f8 03 05 04 f7 01 07 ff 01 12", Node("iq", {"type": Jid("12", LID, 7)})),
        ("00 f8 03 05 04 f7 00 07 ff 01 12", Node("iq", {"type": Jid("12", USER, 7)})),
        ("00 f8 02 05 fc 02 68 69", Node("iq", {}, b"hi")),
        ("00 f8 02 05 f8 01 f8 01 04", Node("iq", {}, [Node("type")])),
        ("00 f9 00 01 05", Node("iq")),
    ],
)
def test_what_clients_write_short(data: str, node: Node) -> None:
    assert binary_xml.decode(bytes.fromhex(data), TOKENS) == node


def test_a_compressed_node() -> None:
    packed = b"\x02" + zlib.compress(bytes.fromhex("f8 01 05"))

    assert binary_xml.decode(packed, TOKENS) == Node("iq")


@pytest.mark.parametrize("data", ["00 f8 03 05 04 fc 09 61", "00 f8 01 eb", "00 05", "00 f8 00 05", "00 f8"])
def test_bytes_that_are_no_node(data: str) -> None:
    with pytest.raises(MalformedNodeError):
        binary_xml.decode(bytes.fromhex(data), TOKENS)


def test_finding_what_is_inside() -> None:
    node = Node("iq", {"from": SERVER}, [Node("a"), Node("b", {}, [Node("c", content="x")]), Node("a")])

    inner = node.child("b", "c")
    assert inner is not None
    assert (inner.data, len(list(node.all("a"))), node.child("b", "d"), node.jid("from")) == (b"x", 2, None, SERVER)
    with pytest.raises(MalformedNodeError, match="no JID 'to'"):
        node.jid("to")


@pytest.mark.parametrize("text", ["5:7@lid", "5@s.whatsapp.net", "s.whatsapp.net", "120363400000000001@g.us"])
def test_a_jid_as_text(text: str) -> None:
    assert str(Jid.parse(text)) == text


def nested() -> Schema:
    return NESTED


NESTED: Schema = {
    "number": (1, "int"),
    "flag": (2, "bool"),
    "name": (3, "str"),
    "data": (4, "bytes"),
    "place": (16, "double"),
    "many": (17, ["str"]),
    "child": (18, nested),
}
values = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "number": st.integers(0, 2**63),
            "flag": st.booleans(),
            "name": words,
            "data": st.binary(max_size=300),
            "place": st.floats(allow_nan=False),
            "many": st.lists(words, min_size=1, max_size=3),
        },
    ),
    lambda inner: st.fixed_dictionaries({"child": inner}),
    max_leaves=4,
)


@given(message=values)
def test_a_message_that_was_written_is_read(message: protobuf.Values) -> None:
    assert protobuf.decode(NESTED, protobuf.encode(NESTED, message)) == message


@pytest.mark.parametrize(
    ("message", "data"),
    [
        ({"number": 150}, "08 96 01"),
        ({"name": "testing"}, "1a 07 74 65 73 74 69 6e 67"),
        ({"child": {"number": 150}}, "92 01 03 08 96 01"),
        ({"number": -1}, "08 ff ff ff ff ff ff ff ff ff 01"),
    ],
    ids=["varint", "string", "embedded", "negative"],
)
def test_the_examples_of_the_encoding_guide(message: protobuf.Values, data: str) -> None:
    """https://protobuf.dev/programming-guides/encoding/."""
    assert protobuf.encode(NESTED, message) == bytes.fromhex(data)


def test_unknown_fields_are_skipped() -> None:
    data = bytes.fromhex("98 06 01 9d 06 00 00 00 00 a2 06 01 00 08 05")

    assert protobuf.decode(NESTED, data) == {"number": 5}


@pytest.mark.parametrize("data", ["08", "1a 05 61", "0b", "09 00", "0a 01 61"])
def test_bytes_that_are_no_message(data: str) -> None:
    with pytest.raises(MalformedMessageError):
        protobuf.decode(NESTED, bytes.fromhex(data))


def test_a_name_that_the_schema_does_not_have() -> None:
    with pytest.raises(KeyError):
        protobuf.encode(NESTED, {"nothing": 1})

"""A process of the link that does what its second argument says; run by test_process and test_supervision."""

import json
import os
import socket
import sqlite3
import struct
import sys
import time
from contextlib import closing

from supportbot.whatsapp.neonize.link_states import CONNECTED, CONNECTING
from supportbot.whatsapp.neonize.wire import Answer, Beat, LinkNotice, encode


def read(connection: socket.socket) -> bytes:
    size, body = struct.unpack(">II", connection.recv(8, socket.MSG_WAITALL))
    return connection.recv(size + body, socket.MSG_WAITALL)


def delete_device(session: str) -> None:
    """As the library does at a logout."""
    with closing(sqlite3.connect(session)) as db, db:
        db.execute("DELETE FROM whatsmeow_device")


def main(script: str, descriptor: int) -> None:
    connection = socket.socket(fileno=descriptor)
    start = read(connection)
    assert b'"install_key"' in start
    if script in ("hang", "refused"):
        connection.sendall(encode(Beat()) + encode(LinkNotice(link=CONNECTING, own_jids=("1@lid",))))
        if script == "refused":
            delete_device(json.loads(start)["session"])
        read(connection)  # It never hears anything, and ends when it is told to, or killed.
        sys.exit(0)
    connection.sendall(encode(Beat()) + encode(LinkNotice(link=CONNECTED, own_jids=("1@lid",))))
    if script == "environment":
        sys.exit(0 if os.environ["NEONIZE_BOT_TAG"] == "off" and "install_key" not in str(os.environ) else 9)
    if script == "nonsense":
        connection.sendall(struct.pack(">II", 7, 0) + b"{'no': 1")
        time.sleep(60)
    call = read(connection)
    assert b'"list_groups"' in call
    if script == "answer":
        connection.sendall(encode(Answer(id=1), b"bytes"))
        read(connection)  # Drain.
    sys.exit(3)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

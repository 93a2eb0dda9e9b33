"""The dictionaries of the binary XML, read from the memory of the installed library; they are WhatsApp's, not ours.

`python -m tests.emulators.whatsapp.protocol.tokens` prints them as JSON: a process of its own, so that no other gets a
Go runtime.
"""

import ctypes
import functools
import importlib.util
import json
import platform
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .binary_xml import Tokens

_HEADER_BYTES = 16
"""Of a Go string: address and length."""


class LibraryMissingError(Exception):
    """The native library does not run here; the message says why."""


def library_path() -> Path:
    """Where neonize's native library lies, without importing it.

    Raises:
        LibraryMissingError: It is not there, or is not the kind whose memory is known.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise LibraryMissingError("the redirection of neonize is verified on Linux x86_64 only")
    spec = importlib.util.find_spec("neonize")
    if spec is None or spec.origin is None:
        raise LibraryMissingError("neonize is not installed: pip install 'supportbot[neonize]'")
    path = Path(spec.origin).with_name("neonize-linux-amd64.so")
    if not path.is_file():
        raise LibraryMissingError(f"{path} is missing")
    try:
        ctypes.CDLL("libmagic.so.1")
    except OSError as exc:
        raise LibraryMissingError("neonize needs libmagic: apt-get install libmagic1") from exc
    return path


@functools.cache
def library_tokens() -> Tokens:
    """The dictionaries of the installed library.

    Raises:
        LibraryMissingError: They cannot be read.
    """
    library_path()
    command = [sys.executable, "-m", __name__]
    root = Path(__file__).parents[4]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=root)
    if done.returncode:
        raise LibraryMissingError(f"no token dictionaries in the library: {done.stderr.strip()[-500:]}")
    single, double = json.loads(done.stdout)
    return Tokens(single, double)


def mappings_of(path: Path) -> Iterator[tuple[int, int, str]]:
    """Begin, end and permissions of this process's memory that belongs to a file, with the zeroed data after it."""
    is_behind = False
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split()
        is_file = fields[-1] == str(path)
        if is_file or (is_behind and len(fields) == 5):
            begin, end = (int(part, 16) for part in fields[0].split("-"))
            yield begin, end, fields[1]
        is_behind = is_file


class _Memory:
    def __init__(self, path: Path) -> None:
        ctypes.CDLL(str(path))
        self._parts = [
            (begin, ctypes.string_at(begin, end - begin)) for begin, end, mode in mappings_of(path) if mode[0] == "r"
        ]

    def find(self, needle: bytes) -> Iterator[int]:
        for begin, data in self._parts:
            position = data.find(needle)
            while position >= 0:
                yield begin + position
                position = data.find(needle, position + 1)

    def table(self, address: int, length: int) -> list[str]:
        headers = struct.iter_unpack("<QQ", self._read(address, length * _HEADER_BYTES))
        return [self._read(pointer, size).decode() if size else "" for pointer, size in headers]

    def _read(self, address: int, length: int) -> bytes:
        for begin, data in self._parts:
            if begin <= address and address + length <= begin + len(data):
                return data[address - begin : address - begin + length]
        raise LookupError(f"{address:#x} is not the library's")

    def headers_of(self, text: bytes) -> Iterator[int]:
        """Where the Go strings of a text are declared."""
        for address in self.find(text):
            yield from self.find(struct.pack("<QQ", address, len(text)))


def _single(memory: _Memory) -> list[str]:
    for header in memory.headers_of(b"xmlstreamstart"):
        try:
            table = memory.table(header - _HEADER_BYTES, 236)
        except LookupError:
            continue
        if table[0] == "" and table[2] == "xmlstreamend":
            return table
    raise LookupError("the table of single tokens")


def _double(memory: _Memory) -> list[list[str]]:
    for first in memory.headers_of(b"read-self"):
        for slices in memory.find(struct.pack("<QQQ", first, 256, 256)):
            return [
                memory.table(pointer, length)
                for pointer, length, _ in struct.iter_unpack("<QQQ", memory._read(slices, 4 * 24))
            ]
    raise LookupError("the tables of double tokens")


def main() -> None:
    """Print the dictionaries."""
    memory = _Memory(library_path())
    json.dump([_single(memory), _double(memory)], sys.stdout)


if __name__ == "__main__":
    main()

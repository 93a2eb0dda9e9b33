"""Python imports this by itself in every process whose PYTHONPATH holds this folder.

As soon as neonize has loaded its native library, WhatsApp's public root key in the library's memory is replaced by the
emulator's. No file is changed, and nothing happens in processes that do not import neonize.
"""

import ctypes
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

_TRIGGER = "neonize._binder"
_WHATSAPP_ROOT = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")


class _Loader(importlib.abc.Loader):
    def __init__(self, inner: importlib.abc.Loader, root_key: bytes) -> None:
        self._inner = inner
        self._root_key = root_key

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._inner.exec_module(module)
        _replace(_WHATSAPP_ROOT, self._root_key)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, root_key: bytes) -> None:
        self._root_key = root_key

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _TRIGGER:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._root_key)
        return spec


def _replace(old: bytes, new: bytes) -> None:
    hits = [address for begin, end in _writable() for address in _find(old, begin, end)]
    if len(hits) != 1:
        raise ImportError(
            f"WhatsApp's root key is {len(hits)} times in neonize's memory, not once: is it a new version?"
        )
    ctypes.memmove(hits[0], new, len(new))


def _writable() -> list[tuple[int, int]]:
    parts = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split()
        if fields[1].startswith("rw") and fields[-1].endswith(".so") and "neonize" in fields[-1]:
            begin, end = fields[0].split("-")
            parts.append((int(begin, 16), int(end, 16)))
    return parts


def _find(needle: bytes, begin: int, end: int) -> list[int]:
    data, hits = ctypes.string_at(begin, end - begin), []
    position = data.find(needle)
    while position >= 0:
        hits.append(begin + position)
        position = data.find(needle, position + 1)
    return hits


if _key := os.environ.get("WHATSAPP_EMULATOR_ROOT_KEY"):
    sys.meta_path.insert(0, _Finder(bytes.fromhex(_key)))

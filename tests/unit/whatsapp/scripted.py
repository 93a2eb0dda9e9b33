"""A gateway whose states a test sets, for what the simulator never is."""

from supportbot.errors import UnavailableError
from supportbot.whatsapp.gateway import (
    GatewayState,
    Group,
    InboundSink,
    LinkState,
    MessageKey,
    PairingMethod,
    Quote,
    RawMedia,
)


class ScriptedLink:
    """A gateway without a device to pair."""

    own_jids: frozenset[str] = frozenset()

    def __init__(self, state: GatewayState | None = None, *, error: Exception | None = None) -> None:
        self.current = state or GatewayState(link=LinkState.UNPAIRED)
        self.error = error
        self.asked: list[tuple[object, ...]] = []
        self.known: tuple[Group, ...] | Exception = ()

    def state(self) -> GatewayState:
        return self.current

    async def groups(self) -> tuple[Group, ...]:
        self._take("groups")
        if isinstance(self.known, Exception):
            raise self.known
        return self.known

    async def run(self, sink: InboundSink) -> None:
        raise AssertionError("no test runs it")

    async def send(self, chat: str, text: str, *, key: str, quoted: Quote | None, mentions: tuple[str, ...]) -> str:
        raise UnavailableError("not connected", dependency="whatsapp")

    async def react(self, target: MessageKey, emoji: str, *, key: str) -> str:
        raise UnavailableError("not connected", dependency="whatsapp")

    async def show_typing(self, chat: str, *, on: bool) -> None:
        raise AssertionError("nobody types")

    async def find_sent(self, key: str) -> str | None:
        return None

    async def download(self, media: RawMedia, *, max_bytes: int) -> bytes:
        raise UnavailableError("not connected", dependency="whatsapp")

    def _take(self, *what: object) -> None:
        if self.error is not None:
            raise self.error
        self.asked.append(what)


class ScriptedGateway(ScriptedLink):
    """Does what a test says and remembers what it was asked for."""

    async def begin_pairing(self, method: PairingMethod, *, phone: str | None = None) -> None:
        self._take("begin", method, phone)

    async def end_pairing(self) -> None:
        self._take("end")

    async def unpair(self) -> None:
        self._take("unpair")

    async def forget_session(self) -> None:
        self._take("forget")

"""From an unlinked gateway to a linked one, with a person who looks on; and the same beside `supportbot up`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from supportbot.cli.supervisor import Say
from supportbot.cli.whatsapp.client import AwayError, GatewayClient, KeyNeededError, View
from supportbot.cli.whatsapp.screen import Screen
from supportbot.errors import UserError
from supportbot.whatsapp.gateway import LinkState

LOOK_S = 1.0
ROUNDS = 3
"""Attempts that nobody takes up before it is left alone: each is one for WhatsApp, and it counts them."""
OFFER_WITHIN = 60
"""Looks until a code must have come."""
AWAY_FOR = 15
"""Looks without an answer until the service is given up."""

BEGINS = frozenset({LinkState.UNPAIRED, LinkState.LOGGED_OUT, LinkState.PASSKEY_REQUIRED})
"""States from which a person may begin a pairing."""
PASSES = frozenset({LinkState.STARTING, LinkState.CONNECTING, LinkState.RECONNECTING, LinkState.PAIRING})
"""States to wait in; whatever else is there has to be mended first."""

Sleep = Callable[[float], Awaitable[None]]


async def pair(
    gateway: GatewayClient, screen: Screen, body: Mapping[str, str], *, sleep: Sleep = asyncio.sleep
) -> None:
    """Link the device. What is offered is taken back when the person goes away.

    Args:
        gateway: The gateway.
        screen: Shows codes.
        body: Of `POST /pairing`.
        sleep: Waits for seconds.

    Raises:
        UserError: It cannot be linked now, or nobody did; the words say what to do.
    """
    view = await gateway.look()
    if not view.pairable:
        raise UserError("this gateway has no device to link: spec.whatsapp.gateway is not Neonize")
    if view.is_linked:
        screen.say(f"already linked{_as(view)}; `supportbot unpair` unlinks it", "green")
        return
    try:
        view = await _Attempt(gateway, screen, body, sleep).run(view)
    except (UserError, asyncio.CancelledError):
        with suppress(UserError):
            await gateway.end()
        raise
    screen.say(f"linked{_as(view)}", "bold green")
    screen.say("`supportbot groups` lists its groups, for spec.whatsapp.groups")


class _Attempt:
    """Rounds of codes until the device is linked."""

    def __init__(self, gateway: GatewayClient, screen: Screen, body: Mapping[str, str], sleep: Sleep) -> None:
        self._gateway = gateway
        self._screen = screen
        self._body = body
        self._sleep = sleep
        self._said = ""

    async def run(self, view: View) -> View:
        rounds = 0
        while not view.is_linked:
            if view.state in BEGINS:
                if rounds == ROUNDS:
                    raise UserError("nobody took up the codes; run the command again when the phone is at hand")
                rounds += 1
                await self._gateway.begin(self._body)
                view = await self._follow()
                if view.state is LinkState.PASSKEY_REQUIRED:
                    raise UserError(view.explain())
            elif view.state in PASSES:
                self._explain(view)
                await self._sleep(LOOK_S)
                view = await self._look()
            else:
                raise UserError(view.explain())
        return view

    async def _follow(self) -> View:
        """Show codes until there are no more; the state in which that leaves the link."""
        was_offered, was_tried, looks = False, False, 0
        while True:
            view = await self._look()
            self._screen.show(view)
            was_offered = was_offered or view.offer is not None
            if view.is_linked or (view.state not in PASSES and (was_offered or view.state not in BEGINS)):
                return view
            if was_tried and view.state in BEGINS:
                raise UserError(f"there is no code: {view.message}")
            was_tried = was_tried or view.state in PASSES
            looks += 1
            if not was_offered and looks >= OFFER_WITHIN:
                raise UserError(f"WhatsApp gave no code within {OFFER_WITHIN * LOOK_S:.0f} s. {view.explain()}")
            await self._sleep(LOOK_S)

    async def _look(self) -> View:
        """The gateway may be restarting."""
        for _ in range(AWAY_FOR):
            try:
                return await self._gateway.look()
            except AwayError:
                await self._sleep(LOOK_S)
        return await self._gateway.look()

    def _explain(self, view: View) -> None:
        if view.offer is not None:
            self._screen.show(view)
        elif view.title != self._said:
            self._said = view.title
            self._screen.say(view.explain())


async def pair_beside(gateway: GatewayClient, screen: Screen, say: Say, *, sleep: Sleep = asyncio.sleep) -> None:
    """Show codes by itself while a running bot has never been linked, until cancelled.

    A device that was logged out is left to a person: linking it again and again makes WhatsApp suspicious.
    """
    rounds, offered = 0, False
    while True:
        try:
            view = await gateway.look()
            if view.offer is not None:
                screen.show(view)
                offered = True
            elif view.is_linked:
                if offered:
                    say("whatsapp", f"linked{_as(view)}; `supportbot groups` lists its groups")
                rounds, offered = 0, False
            elif view.state is LinkState.UNPAIRED and view.pairable and rounds <= ROUNDS:
                rounds += 1
                if rounds <= ROUNDS:
                    await gateway.begin({})
                elif offered:
                    say("whatsapp", "nobody took up the codes; `supportbot pair` shows more")
                else:
                    say("whatsapp", f"there is no code: {view.message}")
        except KeyNeededError as exc:
            say("whatsapp", f"no pairing code is shown here: {exc}")
            return
        except AwayError:
            pass  # The supervisor says so.
        except UserError as exc:
            say("whatsapp", f"no pairing code: {exc}")
            rounds = ROUNDS + 1
        await sleep(LOOK_S)


def _as(view: View) -> str:
    return f" as {view.phone}" if view.phone else ""

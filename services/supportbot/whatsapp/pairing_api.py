"""Pairing over HTTP: begin, look, end, unlink, and a page for people.

What is offered links the account to whoever has it: all of it wants a key that may write, browsers keep nothing, and
every use leaves a line in the log, without the code.
"""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import AwareDatetime, BaseModel, StringConstraints

from supportbot.auth import CALLER
from supportbot.errors import PermanentError
from supportbot.spec import Language, Spec
from supportbot.spec import PairingMethod as SpecMethod
from supportbot.spec.scalars import PHONE_NUMBER
from supportbot.whatsapp.gateway import (
    LINK_REASONS,
    Gateway,
    LinkState,
    Pairable,
    PairingMethod,
    PairingOffer,
)
from supportbot.whatsapp.link_words import LINK_WORDS
from supportbot.whatsapp.pairing_page import Page, make_page
from supportbot.whatsapp.qr import draw_svg
from supportbot.whatsapp.status import mask_phone

PATH = "/pairing"
PAGE_PATH = f"{PATH}/page"
QR_PATH = f"{PATH}/qr.svg"
WRITE_PATHS = frozenset({PATH, QR_PATH})
"""GET shows what links the account."""
OPEN_PATHS = frozenset({PAGE_PATH})
"""The page itself holds nothing; it asks for a key where one is needed."""
RATES = {f"{PATH}/unpair": "10/minute"}

ATTEMPTS_RETRY_S = 3600

_log = structlog.get_logger(__name__)


class BeginBody(BaseModel):
    """How the phone is to be linked; what is left out is taken from the spec."""

    method: PairingMethod | None = None
    phone: Annotated[str, StringConstraints(pattern=PHONE_NUMBER, max_length=16)] | None = None
    """The bot's own number in E.164; needed for the method `code`."""


class UnpairBody(BaseModel):
    """How thoroughly to unlink."""

    forget: bool = False
    """Only forget the session here, for when WhatsApp cannot be told; the phone may go on listing the device."""


class PairingView(BaseModel):
    """`GET /pairing`."""

    state: LinkState
    reason: str
    title: str
    """The state in the bot's language, or in the one that was asked for."""
    advice: str
    """What a person does about it; empty where nothing is to be done."""
    message: str
    """What the gateway adds, in English; often empty."""
    since: AwareDatetime | None
    until: AwareDatetime | None
    phone: str | None
    """The linked account's number, masked."""
    pairable: bool
    """The gateway has a device that a person links."""
    method: PairingMethod
    """The one of the spec."""
    offer: PairingOffer | None
    """What to scan or type now."""


def create_pairing_router(gateway: Gateway, spec: Spec) -> APIRouter:
    """The endpoints under `/pairing`."""
    router = APIRouter(prefix=PATH, tags=["pairing"])
    door = _Door(gateway, spec)
    page = make_page(spec.language)

    @router.get("", operation_id="get_pairing")
    async def get_pairing(request: Request, language: Language | None = None) -> PairingView:
        return door.show(request, language)

    @router.post("", operation_id="begin_pairing", status_code=202)
    async def begin_pairing(request: Request, body: BeginBody | None = None) -> PairingView:
        return await door.begin(request, body or BeginBody())

    @router.delete("", operation_id="end_pairing")
    async def end_pairing(request: Request) -> PairingView:
        return await door.end(request)

    @router.post("/unpair", operation_id="unpair")
    async def unpair(request: Request, body: UnpairBody | None = None) -> PairingView:
        return await door.unpair(request, body or UnpairBody())

    @router.get("/qr.svg", operation_id="get_pairing_qr", response_class=Response)
    async def get_qr(request: Request) -> Response:
        return Response(door.draw(request), media_type="image/svg+xml")

    @router.get("/page", include_in_schema=False)
    async def get_page() -> Response:
        return _answer(page)

    return router


class _Door:
    """What the endpoints do."""

    def __init__(self, gateway: Gateway, spec: Spec) -> None:
        self._gateway = gateway
        self._spec = spec
        self._offer: PairingOffer | None = None
        self._shown_to: set[str] = set()

    def show(self, request: Request, language: Language | None = None) -> PairingView:
        state = self._gateway.state()
        if state.pairing is not None:
            self._note_shown(request, state.pairing)
        words = LINK_WORDS[language or self._spec.language][state.link]
        return PairingView(
            state=state.link,
            reason=LINK_REASONS[state.link],
            title=words.title,
            advice=words.advice,
            message=state.message,
            since=state.since,
            until=state.until,
            phone=mask_phone(state.phone) if state.phone else None,
            pairable=isinstance(self._gateway, Pairable),
            method=self._method,
            offer=state.pairing,
        )

    async def begin(self, request: Request, body: BeginBody) -> PairingView:
        gateway, method = self._pairable, body.method or self._method
        phone = body.phone or self._spec.whatsapp.pairing.phone_number
        if method is PairingMethod.CODE and phone is None:
            raise HTTPException(400, "the method code needs the bot's own number: phone, such as +529980000001")
        try:
            await gateway.begin_pairing(method, phone=phone if method is PairingMethod.CODE else None)
        except PermanentError as exc:
            raise _refusal(exc) from exc
        _audit("pairing_begun", request, method=method.value)
        return self.show(request)

    async def end(self, request: Request) -> PairingView:
        await self._pairable.end_pairing()
        _audit("pairing_ended", request)
        return self.show(request)

    async def unpair(self, request: Request, body: UnpairBody) -> PairingView:
        gateway = self._pairable
        await (gateway.forget_session() if body.forget else gateway.unpair())
        _audit("device_unpaired", request, forgotten_only=body.forget)
        return self.show(request)

    def draw(self, request: Request) -> bytes:
        offer = self._gateway.state().pairing
        if offer is None or offer.payload is None:
            raise HTTPException(404, "no QR code is offered now; POST /pairing asks for one")
        self._note_shown(request, offer)
        return draw_svg(offer.payload)

    @property
    def _method(self) -> PairingMethod:
        return PairingMethod.CODE if self._spec.whatsapp.pairing.method is SpecMethod.CODE else PairingMethod.QR

    @property
    def _pairable(self) -> Pairable:
        if not isinstance(self._gateway, Pairable):
            raise HTTPException(409, "this gateway has no device to link")
        return self._gateway

    def _note_shown(self, request: Request, offer: PairingOffer) -> None:
        """Once per caller and offer, however often the page asks."""
        if offer != self._offer:
            self._offer, self._shown_to = offer, set()
        if (caller := _caller(request)) not in self._shown_to:
            self._shown_to.add(caller)
            _audit("pairing_offer_shown", request, expires_at=offer.expires_at.isoformat())


def _refusal(error: PermanentError) -> HTTPException:
    if error.reason == "too_many_attempts":
        return HTTPException(429, str(error), {"retry-after": str(ATTEMPTS_RETRY_S)})
    return HTTPException(409 if error.reason == "already_paired" else 422, str(error))


def _audit(event: str, request: Request, **fields: Any) -> None:
    _log.info(event, audit=True, caller=_caller(request), **fields)


def _caller(request: Request) -> str:
    return str(request.scope.get(CALLER, ""))


def _answer(page: Page) -> Response:
    return Response(page.html, media_type="text/html", headers={"content-security-policy": page.policy})

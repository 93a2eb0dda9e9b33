"""The HTTP client that all three SDKs are given: what no SDK checks is checked here, once for all vendors.

Only the adapters import it, because httpx2 comes with the SDKs.
"""

import asyncio
import contextlib
from typing import Any

import httpx2
from pydantic_core import from_json

MAX_BODY_BYTES = 1024 * 1024
"""Far more than any answer: the longest, of 32,768 tokens, has about 150 KB."""
MAX_REFUSAL_CHARS = 500
"""So much is kept of a refusal that is not JSON: the page of a gateway."""


class TooLongError(httpx2.DecodingError):
    """A success with more than any answer has."""


class BoundedClient(httpx2.AsyncClient):
    """Follows no redirect, which would carry the prompt elsewhere, and reads no more than `MAX_BODY_BYTES`.

    What it returns has been read to its end; a refusal is JSON of a bearable depth or a short text, as SDKs parse it.
    """

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send one request.

        Raises:
            TooLongError: A success came with more than that.
        """
        options |= {"stream": True, "follow_redirects": False}
        response = await super().send(request, **options)
        try:
            body, is_whole = await _read(response)
        finally:
            await response.aclose()
            # httpx2's transport may leave a generator behind, which asyncio closes in a task: let that end here.
            await asyncio.sleep(0)
        if response.is_success and not is_whole:
            raise TooLongError(f"the answer is longer than {MAX_BODY_BYTES} bytes", request=request)
        if not response.is_success and not _is_json(body):
            body = body.decode(errors="replace")[:MAX_REFUSAL_CHARS].encode()
        return httpx2.Response(
            response.status_code,
            headers=[(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_WIRE],
            content=body,
            request=request,
            extensions=response.extensions,
        )


_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})


async def _read(response: httpx2.Response) -> tuple[bytes, bool]:
    """The body without its compression, up to the limit, and whether that is all of it."""
    body = bytearray()
    async with contextlib.aclosing(response.aiter_bytes()) as parts:
        async for part in parts:
            body += part
            if len(body) > MAX_BODY_BYTES:
                return bytes(body[:MAX_BODY_BYTES]), False
    return bytes(body), True


def _is_json(body: bytes) -> bool:
    """Whether it can be parsed; unlike `json.loads` this survives any depth of nesting."""
    try:
        from_json(body)
    except ValueError:
        return False
    return True

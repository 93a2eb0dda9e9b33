"""The library's errors as the errors of the port. Pure: its texts are all there is to tell them apart by."""

import re

from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.whatsapp.gateway import MediaGoneError, SendUnknownError

_SERVER_CODE = re.compile(r"server returned error (\d+)")
_DOWNLOAD_CODE = re.compile(r"status code (\d+)")
_NOT_CONNECTED = re.compile(r"websocket (is )?not connected|not logged in|websocket disconnected before")
_GONE_CODES = frozenset({403, 404, 410})
_LIMIT_CODES = frozenset({420, 429, 463, 479})
"""Warning signs: too much, too fast, to strangers, or as a bot."""


def send_failure(error: str) -> Exception:
    """What the error of a send means.

    Returns:
        UnavailableError: It was not sent, and may be sent once connected.
        PermanentError: WhatsApp refused it (reason `send_limited` for its warning signs, else `send_refused`).
        SendUnknownError: Anything else: it may be in the group.
    """
    lower = error.lower()
    if _NOT_CONNECTED.search(lower):
        return UnavailableError("WhatsApp is not connected", dependency="whatsapp", delay_s=1)
    if (match := _SERVER_CODE.search(lower)) is not None:
        code = int(match[1])
        reason = "send_limited" if code in _LIMIT_CODES else "send_refused"
        return PermanentError(f"WhatsApp refused the message with error {code}", reason=reason)
    if "timed out" in lower:
        return SendUnknownError("WhatsApp did not answer in time", delay_s=1)
    return SendUnknownError("the send ended with an error that does not say whether it arrived", delay_s=1)


def download_failure(error: str) -> Exception:
    """What the error of a download means."""
    lower = error.lower()
    if (match := _DOWNLOAD_CODE.search(lower)) is not None and int(match[1]) in _GONE_CODES:
        return MediaGoneError(f"WhatsApp no longer has the attachment (status {match[1]})")
    if "hash" in lower and "match" in lower:
        return MediaGoneError("the attachment at WhatsApp is not the one that was sent: its hash differs")
    if "no url present" in lower or "invalid media hmac" in lower:
        return MediaGoneError("the attachment cannot be decrypted")
    if _NOT_CONNECTED.search(lower):
        return UnavailableError("WhatsApp is not connected", dependency="whatsapp", delay_s=5)
    return TemporaryError("the attachment could not be downloaded", delay_s=None)

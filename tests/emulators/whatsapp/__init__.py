"""A WhatsApp on loopback that speaks enough of the real protocol for the real, unmodified neonize.

    async with WhatsAppEmulator() as whatsapp:
        ana = whatsapp.add_person("Ana")
        group = whatsapp.add_group("Tiendas", [ana])
        child = await asyncio.create_subprocess_exec(..., env=whatsapp.environment())
        await whatsapp.scan(payload)            # what the client shows as a QR code; or type_code("ABCD-1234")
        await whatsapp.until_ready()
        message_id = await whatsapp.post(group, ana, "la 909 no cobra")     # or a value of `contents`
        await whatsapp.until(lambda: bool(whatsapp.seen.receipts_of(message_id)))
        assert [sent.text for sent in whatsapp.seen.sent.values()] == ["recibido"]

One account, one companion. What is posted waits in a queue until the client's receipt and is given out again over the
next connection. `whatsapp.faults` says what is to go wrong, `whatsapp.seen` what the client has done; times and ids are
the test's own wherever it gives them. `python -m tests.emulators.whatsapp` is the same in a process of its own, to be
held by `remote.RemoteWhatsApp`, or by `curl` (`control`).

A process is redirected by its environment alone (`Redirection`): a CONNECT proxy, an authority of our own, and a
`sitecustomize` that replaces WhatsApp's root key in the memory of the library. Production code knows nothing of it.

Not emulated: several companions, app state, votes in polls, calls, status, channels, and whatever Meta decides by
itself, such as bans, limits and changes of the protocol.

What a client must be prepared for, because WhatsApp does it: the first message of a member brings their sender key
along, and the library then reports two messages of one id; the first holds `senderKeyDistributionMessage` alone.
"""

from .account import Account
from .emulator import NotLinkedError, WhatsAppEmulator
from .faults import Refusal
from .redirection import Redirection

__all__ = ["Account", "NotLinkedError", "Redirection", "Refusal", "WhatsAppEmulator"]

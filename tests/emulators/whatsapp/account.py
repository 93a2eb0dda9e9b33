"""The bot's account: the phone that owns it, and the companion device that it has linked."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from .people import Person
from .protocol.binary_xml import LID, USER, Jid, Node
from .protocol.signal import PreKeyBundle


class LinkedDevice(BaseModel):
    """What the server and the phone know of the companion. JSON of it and the client's session file are a pair."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    number: int
    noise_key: bytes
    registration_id: int
    identity: bytes
    signed_pre_key_id: int
    signed_pre_key: bytes
    one_time: dict[int, bytes] = {}

    @classmethod
    def registered(cls, number: int, noise_key: bytes, data: dict[str, bytes]) -> Self:
        """From what a client says of itself when it wants to be linked."""
        return cls(
            number=number,
            noise_key=noise_key,
            registration_id=int.from_bytes(data["eRegid"]),
            identity=data["eIdent"],
            signed_pre_key_id=int.from_bytes(data["eSkeyID"]),
            signed_pre_key=data["eSkeyVal"],
        )

    def upload(self, pre_keys: Node) -> None:
        """Take the one-time keys of an upload, or of a retry receipt."""
        for key in pre_keys.all("key"):
            number, value = key.child("id"), key.child("value")
            assert number is not None
            assert value is not None
            self.one_time[int.from_bytes(number.data)] = value.data

    def take_bundle(self) -> PreKeyBundle:
        """For a session with the device; a one-time key is used up, as long as there are any."""
        one_time = (next(iter(self.one_time)),) if self.one_time else ()
        taken = [(number, self.one_time.pop(number)) for number in one_time]
        return PreKeyBundle(
            self.registration_id,
            self.identity,
            self.signed_pre_key_id,
            self.signed_pre_key,
            taken[0] if taken else None,
        )


class Account(BaseModel):
    """The phone's person, and the device that is linked, if any."""

    owner: Person
    device: LinkedDevice | None = None
    next_number: int = 7
    """Of the next device: WhatsApp never gives one twice."""

    @property
    def device_jid(self) -> Jid:
        """The companion's phone JID."""
        return Jid(self.owner.phone_user, USER, self._number)

    @property
    def device_lid(self) -> Jid:
        """The companion's LID."""
        return Jid(self.owner.lid_user, LID, self._number)

    @property
    def _number(self) -> int:
        return self.device.number if self.device else self.next_number

"""Which LID is whose phone: what the session knew at the start, and what messages have brought since."""

from collections.abc import Mapping

from supportbot.whatsapp.neonize.identity import Directory, is_lid, is_phone


class AddressBook:
    """Read and written from any thread: each entry is one assignment, and never changes its meaning."""

    def __init__(self, phones: Mapping[str, str]) -> None:
        self._phones = dict(phones)
        self._lids = {phone: lid for lid, phone in phones.items()}
        self._phone_groups: set[str] = set()
        self.directory = Directory(lid_of=self._lids.get, phone_of=self._phones.get)

    def learn(self, one: str, other: str) -> None:
        """Take note of the two sides of a person, in any order; anything else is no pair."""
        lid, phone = (one, other) if is_lid(one) else (other, one)
        if is_lid(lid) and is_phone(phone):
            self._phones[lid] = phone
            self._lids[phone] = lid

    def learn_group(self, chat: str, sender: str) -> None:
        """Take note of how a group names its people: old ones do it by phones."""
        if is_phone(sender):
            self._phone_groups.add(chat)
        else:
            self._phone_groups.discard(chat)

    def names_lids(self, chat: str) -> bool:
        """Whether the group names its people by LIDs, as far as anybody has written there."""
        return chat not in self._phone_groups

"""Who there is: people with a LID and a phone number each, and the groups that they are in. All are invented."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Literal

from pydantic import BaseModel, ConfigDict

from .protocol.binary_xml import GROUP, LID, USER, Jid
from .protocol.signal import DeviceKeys

Addressing = Literal["lid", "pn"]
_FIRST_LID, _FIRST_PHONE, _FIRST_GROUP = 184400000000000, 529981230000, 120363400000000000


class Person(BaseModel):
    """Somebody with WhatsApp on a phone."""

    model_config = ConfigDict(frozen=True)

    name: str
    lid_user: str
    phone_user: str

    @property
    def lid(self) -> str:
        """The identity that groups show: `<digits>@lid`."""
        return f"{self.lid_user}@{LID}"

    @property
    def phone(self) -> str:
        """The JID of the number: `<digits>@s.whatsapp.net`."""
        return f"{self.phone_user}@{USER}"

    @property
    def lid_jid(self) -> Jid:
        """`lid`, as an attribute."""
        return Jid(self.lid_user, LID)

    @property
    def phone_jid(self) -> Jid:
        """`phone`, as an attribute."""
        return Jid(self.phone_user, USER)

    def keys(self) -> DeviceKeys:
        """Those of the phone; the same in every process."""
        return DeviceKeys.derived(self.lid_user)


class Group(BaseModel):
    """A group; the first member has made it. The bot's account is a member that is not listed here."""

    model_config = ConfigDict(frozen=True)

    jid: str
    subject: str
    members: tuple[Person, ...]
    created_at: int
    addressing: Addressing = "lid"
    """Whether the group names its people by LIDs, or, as old groups do, by phone numbers."""


class Directory:
    """All people and groups of one emulator."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._by_user: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}

    def add_person(self, name: str, *, lid_user: str | None = None, phone_user: str | None = None) -> Person:
        """A new person; numbers that are not given are invented."""
        number = next(number for number in self._numbers if str(_FIRST_LID + 7919 * number) not in self._by_user)
        person = Person(
            name=name,
            lid_user=lid_user or str(_FIRST_LID + 7919 * number),
            phone_user=phone_user or str(_FIRST_PHONE + number),
        )
        self.restore(person)
        return person

    def restore(self, person: Person) -> None:
        """Take up somebody whose numbers are known."""
        self._by_user[person.lid_user] = self._by_user[person.phone_user] = person

    def add_group(self, subject: str, members: tuple[Person, ...], *, jid: str | None, addressing: Addressing) -> Group:
        """A new group."""
        for member in members:
            self.restore(member)
        jid = jid or f"{_FIRST_GROUP + next(self._numbers)}@{GROUP}"
        created_at = int(time.time()) - 86400
        group = Group(jid=jid, subject=subject, members=members, created_at=created_at, addressing=addressing)
        self.groups[jid] = group
        return group

    def change_group(self, jid: str, *, subject: str | None = None, members: tuple[Person, ...] | None = None) -> Group:
        """Another subject, or other members.

        Raises:
            KeyError: There is no such group.
        """
        changes = {"subject": subject, "members": members}
        given = {name: value for name, value in changes.items() if value is not None}
        self.groups[jid] = self.groups[jid].model_copy(update=given)
        return self.groups[jid]

    def find(self, jid: Jid) -> Person | None:
        """Whoever has a LID or a phone number."""
        return self._by_user.get(jid.user)

    def __iter__(self) -> Iterator[Person]:
        return iter(dict.fromkeys(self._by_user.values()))

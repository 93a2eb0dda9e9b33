"""The Zoho Desk contact of a person or a group: one each, though Zoho accepts two with one phone.

Zoho's search does not show a fresh contact for minutes, so the service keeps a table of its own and lets one replica at
a time make a contact (otwcode/otwarchive#3605 is what happens otherwise).
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import phonenumbers
from phonenumbers import MatchType

from supportbot.contracts import Person
from supportbot.ids import make_sender_ref
from supportbot.kv import ConflictError
from supportbot.ticket.convert import make_contact, make_group_contact
from supportbot.ticket.once import Once
from supportbot.ticket.records import Records
from supportbot.ticket.words import Words
from supportbot.ticket.zoho import ZohoDesk

_LOCK_TTL_S: Final = 60.0
_PREFIX: Final = "desk.contact."


@dataclass(frozen=True, kw_only=True)
class Who:
    """Somebody who is to be a contact."""

    key: str
    """Names them in the table; no personal data."""
    body: Mapping[str, Any]
    """What `POST /contacts` takes."""
    phone: str | None = None
    email: str | None = None


def make_sender(person: Person, install_key: bytes, words: Words) -> Who:
    """A participant, known by the phone; by the reference where WhatsApp shows none."""
    key = make_sender_ref(install_key, person.phone) if person.phone else person.ref
    return Who(key=key, body=make_contact(person, words), phone=person.phone)


def make_group(group_ref: str, words: Words) -> Who:
    """A group as one contact."""
    return Who(key=f"group-{group_ref}", body=make_group_contact(group_ref, words))


def make_email(email: str, name: str, install_key: bytes) -> Who:
    """Somebody whom a caller of the HTTP API names by an e-mail address."""
    address = email.strip().lower()
    first, _, last = " ".join(name.split()).rpartition(" ")
    body = {"lastName": (last or address)[:200], "email": address} | ({"firstName": first[:40]} if first else {})
    key = hashlib.sha256(install_key + address.encode()).hexdigest()[:32]
    return Who(key=f"email-{key}", body=body, email=address)


class Contacts:
    """The table of contacts."""

    def __init__(self, desk: ZohoDesk, records: Records, once: Once) -> None:
        self._desk = desk
        self._records = records
        self._once = once

    async def ensure(self, who: Who) -> str:
        """The contact's id; searched for and made when it is not known yet.

        Raises:
            UnavailableError: Zoho is away, or another replica makes it just now.
            PermanentError: Zoho refuses it.
        """
        record = await self._records.get(_PREFIX + who.key)
        if record is not None and record.value.get("contact_id"):
            with suppress(ConflictError):  # Written again, since the bucket forgets what nobody writes.
                await self._records.update(_PREFIX + who.key, record.value, revision=record.revision)
            return str(record.value["contact_id"])
        async with self._records.lock(f"{_PREFIX}{who.key}.lock", ttl_s=_LOCK_TTL_S):
            record = await self._records.get(_PREFIX + who.key)
            value = record.value if record else {}
            if value.get("contact_id"):
                return str(value["contact_id"])
            generation = int(value.get("generation", 0))
            contact_id = await self._find(who) or await self._create(who, generation)
            await self._records.put(_PREFIX + who.key, {"contact_id": contact_id, "generation": generation})
            return contact_id

    async def forget(self, who: Who, contact_id: str) -> None:
        """Drop a contact that Zoho no longer accepts, since it was merged or deleted; the next `ensure` starts over."""
        record = await self._records.get(_PREFIX + who.key)
        if record is not None and record.value.get("contact_id") == contact_id:
            generation = int(record.value.get("generation", 0)) + 1
            await self._records.update(_PREFIX + who.key, {"generation": generation}, revision=record.revision)

    async def _create(self, who: Who, generation: int) -> str:
        async def write() -> Mapping[str, Any]:
            return {"contact_id": (await self._desk.create_contact(who.body)).id}

        async def look(_: datetime) -> Mapping[str, Any] | None:
            contact_id = await self._find(who)
            return {"contact_id": contact_id} if contact_id else None

        outcome = await self._once.perform(f"contact.{who.key}.{generation}", write=write, look=look)
        return str(outcome["contact_id"])

    async def _find(self, who: Who) -> str | None:
        if who.email:
            found = await self._desk.search_contacts(email=who.email)
            return next((one.id for one in found if (one.email or "").lower() == who.email), None)
        if not who.phone:
            return None
        pattern = f"*{who.phone[-8:]}"
        for field in ("mobile", "phone"):
            found = await self._desk.search_contacts(**{field: pattern})
            known = [one.id for one in found if is_same_phone(who.phone, one.mobile, one.phone)]
            if known:
                return min(known, key=lambda contact_id: (len(contact_id), contact_id))
        return None


def is_same_phone(phone: str, *typed: str | None) -> bool:
    """Whether one of the numbers, as somebody typed them, is the E.164 number `phone`."""
    try:
        ours = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone in typed
    return any(_is_same(ours, text) for text in typed if text)


def _is_same(ours: phonenumbers.PhoneNumber, typed: str) -> bool:
    try:
        theirs = phonenumbers.parse(typed, phonenumbers.region_code_for_number(ours))
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_number_match(ours, theirs) in {MatchType.EXACT_MATCH, MatchType.NSN_MATCH}

"""Group conversations whose truth is known: every incident has numbers of its own, and every photo bytes of its own.

They are plain on purpose: the campaign is about what gets lost or doubled, not about how well people are understood.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
TRACKS = 2
"""Incidents of a group that run side by side."""
REPORTERS = 6
"""People of each track who report in turn."""

_NAMES = ("Ana", "Luis", "Marta", "Hugo", "Elena", "Diego", "Carla", "Fabio", "Gina", "Dario", "Nora", "Pablo")
_OPENINGS = (
    "Buen día, la tienda {site} no puede facturar el pedido {marker}, marca error, nos apoyan por favor",
    "Buenas tardes, en la tienda {site} no aparece el pedido {marker} en el sistema, su apoyo por favor",
    "Hola, la tienda {site} no puede recibir la orden {marker}, la pantalla se queda trabada, nos ayudan?",
    "Buen día equipo, en la tienda {site} la factura {marker} sale con precio incorrecto, me apoyan por favor",
)
_DETAILS = ("el folio es {marker}", "aquí está el ticket {marker}", "es el folio {marker}, desde la mañana")
_INSISTENCES = ("sigue igual, el folio es {marker}", "¿alguna novedad del folio {marker}?")
_ANSWERS = ("lo estamos revisando, folio interno {marker}", "reviso el caso, queda con el folio {marker}")
_RESOLUTIONS = ("ya quedó corregido, folio interno {marker}", "listo, ya quedó, folio {marker}")
_THANKS = ("gracias", "muchas gracias", "gracias 🙏")
_CHATTER = ("buenos días a todos", "buen día", "excelente inicio de semana 🙌", "👍", "feliz tarde a todos")


@dataclass(frozen=True)
class Member:
    """An invented person."""

    phone: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Post:
    """One message of a group; `id` is unique over all groups."""

    id: str
    group: str
    sender: Member
    sent_at: datetime
    text: str = ""
    quoted: str | None = None
    photo: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Incident:
    """What must come of one report."""

    opening: str
    """Id of the post that tells the problem."""
    reporter: Member
    marker: str
    """A number that stands in the opening and nowhere else."""
    follow_ups: tuple[str, ...] = ()
    """Numbers that stand in one later post each."""
    photos: tuple[str, ...] = ()
    """SHA-256 of the photos, in hex."""


@dataclass(frozen=True, kw_only=True)
class Conversations:
    """What is said, in order of time, and what must come of it."""

    groups: tuple[str, ...]
    staff: tuple[Member, ...]
    posts: tuple[Post, ...]
    incidents: tuple[Incident, ...]


def generate(seed: int, *, messages: int, groups: int = 8) -> Conversations:
    """Exactly `messages` posts over `groups` groups; the same for the same arguments."""
    maker = _Maker(seed, groups)
    while (room := messages - len(maker.posts)) >= 12:  # An incident has at most 10 posts, chatter one.
        maker.add_incident()
        if room > 12 and maker.rng.random() < 0.5:
            maker.add_chatter()
    while len(maker.posts) < messages:
        maker.add_chatter()
    return Conversations(
        groups=maker.groups,
        staff=tuple(maker.staff),
        posts=tuple(sorted(maker.posts, key=lambda post: (post.sent_at, post.id))),
        incidents=tuple(maker.incidents),
    )


class _Maker:
    def __init__(self, seed: int, groups: int) -> None:
        self.rng = random.Random(seed)
        self.groups = tuple(f"1203630000000{number:05}@g.us" for number in range(1, groups + 1))
        self.staff = [Member(f"+5299855509{number:02}", f"Soporte {_NAMES[number % 12]}") for number in range(groups)]
        self.posts: list[Post] = []
        self.incidents: list[Incident] = []
        self._numbers = iter(range(70_000_001, 80_000_000))
        self._clocks = {(group, track): START for group in range(groups) for track in range(TRACKS)}
        self._counts = dict.fromkeys(self._clocks, 0)

    def add_incident(self) -> None:
        """The next incident of the track that is furthest behind."""
        place = min(self._clocks, key=lambda one: (self._clocks[one], one))
        group, track = place
        turn, self._counts[place] = self._counts[place], self._counts[place] + 1
        reporter = self._reporter(group, track, turn % REPORTERS)
        site = 100 + group * 20 + track * REPORTERS + turn % REPORTERS
        at = self._clocks[place] + timedelta(seconds=self.rng.randint(60, 900))
        people = (self.staff[group], reporter)
        self._clocks[place] = self._write(self.groups[group], people, site, at, first=turn < REPORTERS)

    def add_chatter(self) -> None:
        """Courtesy by somebody who reports nothing, in any group."""
        group = self.rng.randrange(len(self.groups))
        at = self._clocks[group, 0] + timedelta(seconds=self.rng.randint(0, 600))
        sender = Member(f"+5299855508{group:02}", "Rita Gerencia")
        self._say(self.groups[group], sender, at, self.rng.choice(_CHATTER))

    def _reporter(self, group: int, track: int, turn: int) -> Member:
        # The first of each track works for two groups: their contact is asked for from two lanes.
        home = group // 2 * 2 if turn == 0 else group
        number = home * 100 + track * 10 + turn
        return Member(f"+52998556{number:04}", _NAMES[(home + track * REPORTERS + turn) % len(_NAMES)])

    def _write(self, group: str, people: tuple[Member, Member], site: int, at: datetime, *, first: bool) -> datetime:
        """One incident from its opening to its thanks; the time of its end."""
        staff, reporter = people
        rng, markers, photos = self.rng, list[str](), list[bytes]()

        def later(low: int, high: int) -> datetime:
            nonlocal at
            at += timedelta(seconds=rng.randint(low, high))
            return at

        def marked(texts: tuple[str, ...]) -> str:
            markers.append(str(next(self._numbers)))
            return rng.choice(texts).format(marker=markers[-1])

        def show() -> None:
            photos.append(b"\x89PNG\r\n\x1a\n" + rng.randbytes(rng.randint(200, 4000)))
            self._say(group, reporter, later(4, 20), photo=photos[-1])

        if first and rng.random() < 0.4:  # Later the photo might as well belong to the report before.
            show()
        marker = str(next(self._numbers))
        text = rng.choice(_OPENINGS).format(site=site, marker=marker)
        opening = self._say(group, reporter, later(5, 25), text)
        for _ in range(rng.randint(0, 2)):
            show()
        if rng.random() < 0.6:
            self._say(group, reporter, later(5, 40), marked(_DETAILS))
        if rng.random() < 0.6:
            self._say(group, staff, later(120, 600), marked(_ANSWERS), quoted=opening)
        if rng.random() < 0.4:
            self._say(group, reporter, later(300, 900), marked(_INSISTENCES), quoted=opening)
        if rng.random() < 0.5:
            self._say(group, staff, later(120, 900), marked(_RESOLUTIONS), quoted=opening)
            self._say(group, reporter, later(20, 120), rng.choice(_THANKS))
        self.incidents.append(
            Incident(
                opening=opening,
                reporter=reporter,
                marker=marker,
                follow_ups=tuple(markers),
                photos=tuple(sha256(photo).hexdigest() for photo in photos),
            )
        )
        return at

    def _say(self, group: str, sender: Member, at: datetime, text: str = "", **more: Any) -> str:
        post = Post(id=f"P{len(self.posts):05}", group=group, sender=sender, sent_at=at, text=text, **more)
        self.posts.append(post)
        return post.id

"""One Desk call on its way to its handler: what the route table says about it and what the handler gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .answers import Answer, Record, not_found
from .limits import page_weight
from .portal import Portal
from .queries import Page, Paging, parse_page


@dataclass(frozen=True, slots=True)
class File:
    """The multipart part `file`."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that passed token, organization, scopes, credits and parameter names."""

    portal: Portal
    route: "Route"
    base_url: str
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Record = field(default_factory=dict)
    file: File | None = None

    @property
    def page(self) -> Page:
        """The page that is asked for."""
        if self.route.paging is None:
            raise LookupError(f"{self.route.path} has no pages")
        return parse_page(self.query, self.route.paging, self.portal.settings.list_from_base)

    @property
    def ticket(self) -> Record:
        """The ticket that the path names.

        Raises:
            RefusedError: 404; unknown, trashed or merged away.
        """
        ticket = self.portal.store.tickets.get(self.ids["ticket_id"])
        if ticket is None or ticket["isTrashed"]:
            raise not_found()
        return ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the route table.

    Each set in `scopes` holds alternatives; every set must be met. `weight` is in credits; calls with paging cost what
    their page costs, except searches for a unique id.
    """

    method: str
    path: str
    handler: Callable[[Call], Answer]
    scopes: tuple[frozenset[str], ...]
    query: frozenset[str] = frozenset()
    body: Literal["none", "json", "file"] = "none"
    paging: Paging | None = None
    needs_org: bool = True
    weight: int = 1

    @property
    def parameters(self) -> frozenset[str]:
        """The query parameters that the call knows."""
        return self.query | ({"from", "limit"} if self.paging else set())

    def cost(self, query: Mapping[str, str]) -> int:
        """Credits of this call."""
        if self.paging is None:
            return self.weight
        if self.paging.search and not {"id", "ticketNumber"}.isdisjoint(query):
            return 1
        start = query.get("from", "0")
        return page_weight(int(start) if start.isdecimal() and len(start) < 10 else 0)

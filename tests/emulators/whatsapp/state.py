"""All that the server knows, shared by its connections and by whoever controls it."""

from dataclasses import dataclass, field

from .account import Account, LinkedDevice
from .faults import Faults
from .mailbox import Mailbox
from .media import MediaStore
from .observations import Observations
from .people import Directory
from .posting import Pen, Posted
from .protocol.binary_xml import Node


@dataclass
class State:
    """One account's WhatsApp."""

    account: Account
    people: Directory = field(default_factory=Directory)
    faults: Faults = field(default_factory=Faults)
    media: MediaStore = field(default_factory=MediaStore)
    mailbox: Mailbox = field(default_factory=Mailbox)
    seen: Observations = field(default_factory=Observations)
    posted: dict[str, Posted] = field(default_factory=dict)
    remembered: list[Posted] = field(default_factory=list)
    """What was said before the companion was linked."""
    withheld: set[str] = field(default_factory=set)
    """Messages that are not sent again when the client cannot read them."""
    pen: Pen | None = None
    _stanzas: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.people.restore(self.account.owner)
        if self.account.device is not None:
            self.pen = Pen(self.account.device)

    def link(self, device: LinkedDevice) -> None:
        """A companion is linked: it gets what is posted from now on."""
        self.account.device = device
        self.account.next_number += 1
        self.pen = Pen(device)
        self.mailbox.clear()

    def unlink(self) -> None:
        """The companion is removed; its next login is refused."""
        self.account.device = self.pen = None
        self.mailbox.clear()

    def write_again(self, message_id: str, *, count: int = 0) -> None:
        """The sender's phone encrypts a message anew; `count` says how often the companion has asked for it."""
        if self.pen is not None and message_id in self.posted:
            self._put(self.pen.write(self.posted[message_id], count=count))

    def give_again(self, message_id: str) -> None:
        """The server gives out the same stanza as before."""
        self._put(self._stanzas[message_id])

    def post(self, posted: Posted, stanza: Node) -> None:
        """A member has posted something."""
        self.posted[posted.id] = posted
        self._put(stanza)

    def _put(self, stanza: Node) -> None:
        self._stanzas[stanza.text("id")] = stanza
        self.mailbox.put(stanza)

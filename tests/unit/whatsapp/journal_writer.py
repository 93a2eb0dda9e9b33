"""A process that journals until it is killed, and says after each row that it is safe. Run by test_journal."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from supportbot.whatsapp.gateway import MessageKey, RawEvent, RawPerson
from supportbot.whatsapp.journal import Journal


def main(path: Path) -> None:
    sent_at = datetime(2026, 3, 2, tzinfo=UTC)
    with Journal(path) as journal:
        for number in range(1_000_000):
            key = MessageKey(chat="1@g.us", sender="2@lid", message_id=f"M{number}")
            raw = RawEvent(key=key, sender=RawPerson(jid="2@lid"), sent_at=sent_at, text="hola " * 50)
            journal.put(raw, message_ref=f"m_{number}", received_at=sent_at)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A deliberately broken build: on the PYTHONPATH of a process, writes to Zoho Desk are made without looking first.

The campaign has to find that; otherwise it would prove nothing.
"""

from collections.abc import Mapping
from typing import Any

from supportbot.ticket.once import Look, Once, Write


async def _write_at_once(self: Once, key: str, *, write: Write, look: Look) -> Mapping[str, Any]:
    effect = await self._ledger.begin(key)
    if effect.state == "done":
        return effect.outcome
    return (await self._ledger.finish(effect, await write())).outcome


Once.perform = _write_at_once  # type: ignore[method-assign]

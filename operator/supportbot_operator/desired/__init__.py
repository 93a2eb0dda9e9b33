"""From a bot to the objects that it needs (pure): a bot and the inputs in, plain objects out.

`reconcile` applies them; golden files show them.
"""

from supportbot_operator.desired.bot import Bot, Component, Inputs, read_bot
from supportbot_operator.desired.objects import Desired, desired

__all__ = ["Bot", "Component", "Desired", "Inputs", "desired", "read_bot"]

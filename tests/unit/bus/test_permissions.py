import pytest

from supportbot.permissions import permissions
from supportbot.topology import Stage


@pytest.mark.parametrize("stage", Stage)
def test_a_service_has_no_right_that_reaches_beyond_its_bot(stage: Stage) -> None:
    """Every subject names the bot before any wildcard; what the broker makes of it is tested there."""
    bot = "tiendas-1a2b3c4d"
    rights = permissions(bot, stage)
    names = (bot, f"OBJ_{bot}_", f"KV_{bot}_")
    for subject in rights.publish:
        before = subject.replace("$JS.ACK.*.*.", "").partition("*")[0].partition(">")[0]
        assert any(token.startswith(names) for token in before.split(".")), subject
    assert rights.subscribe == (f"_INBOX_{stage}_{bot}.>",)
    assert len(set(rights.publish)) == len(rights.publish)


def test_rights_are_always_the_same() -> None:
    """They are part of the credentials, and other bytes would make every pod read them anew."""
    assert permissions("b", Stage.TICKET) == permissions("b", Stage.TICKET)

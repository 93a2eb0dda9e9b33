import pytest

from supportbot.permissions import permissions
from supportbot.topology import Stage


@pytest.mark.parametrize("stage", Stage)
def test_a_service_has_no_right_that_reaches_beyond_its_bot(stage: Stage) -> None:
    """Every subject names the bot in a token of its own, before any wildcard; what the broker makes of it is tested there."""
    rights = permissions("tiendas-1a2b3c4d", stage)
    names = (
        "tiendas-1a2b3c4d",
        "OBJ_tiendas-1a2b3c4d_",
        "KV_tiendas-1a2b3c4d_",
        "tiendas-1a2b3c4d_",
        "tiendas-1a2b3c4d-",
    )
    for subject in rights.publish:
        before, _, _ = subject.replace("$JS.ACK.*.*.", "").partition("*")
        assert any(token.startswith(names) for token in before.partition(">")[0].split(".")), subject
    assert rights.subscribe == (f"_INBOX_{stage}_{bot}.>",)
    assert len(set(rights.publish)) == len(rights.publish)


def test_rights_are_always_the_same() -> None:
    """They are part of the credentials, and other bytes would make every pod read them anew."""
    assert permissions("b", Stage.TICKET) == permissions("b", Stage.TICKET)

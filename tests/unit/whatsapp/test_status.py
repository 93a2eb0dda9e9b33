"""The account's groups as a status tells them, and a number that only its owner recognises."""

import pytest
from tests.unit.whatsapp.scripted import ScriptedGateway

from supportbot.errors import UnavailableError
from supportbot.whatsapp.gateway import GatewayState, Group, LinkState
from supportbot.whatsapp.status import GROUPS_LAST_S, GroupStatus, KnownGroups, mask_phone

OURS, FAMILY, CLINIC = (f"12036300000000000{number}@g.us" for number in (1, 2, 3))
ACCOUNT = (Group(jid=FAMILY, name="familia"), Group(jid=OURS, name="Tiendas"), Group(jid=CLINIC, name="Clínica"))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def connected(*, asks: tuple[Group, ...] | Exception = ACCOUNT) -> ScriptedGateway:
    gateway = ScriptedGateway(GatewayState(link=LinkState.CONNECTED))
    gateway.known = asks
    return gateway


async def test_the_bots_own_groups_come_first_and_the_others_by_name() -> None:
    found = await KnownGroups(connected(), [OURS]).list()

    assert found == (
        GroupStatus(jid=OURS, name="Tiendas", configured=True, joined=True),
        GroupStatus(jid=CLINIC, name="Clínica", configured=False, joined=True),
        GroupStatus(jid=FAMILY, name="familia", configured=False, joined=True),
    )


async def test_a_group_of_the_file_in_which_the_account_is_not_is_told() -> None:
    (found,) = await KnownGroups(connected(asks=()), [OURS]).list()

    assert found == GroupStatus(jid=OURS, configured=True, joined=False)


async def test_whatsapp_is_asked_now_and_then_only() -> None:
    gateway, clock = connected(), Clock()
    groups = KnownGroups(gateway, [OURS], clock=clock)
    for clock.now in (0.0, 1.0, GROUPS_LAST_S, GROUPS_LAST_S + 1):
        await groups.list()

    assert gateway.asked == [("groups",)] * 2


@pytest.mark.parametrize("trouble", ["not connected", "no answer"])
async def test_what_was_known_stays_while_whatsapp_cannot_be_asked(trouble: str) -> None:
    gateway, clock = connected(), Clock()
    groups = KnownGroups(gateway, [OURS], clock=clock)
    before = await groups.list()
    clock.now = GROUPS_LAST_S + 1
    if trouble == "not connected":
        gateway.current = GatewayState(link=LinkState.RECONNECTING)
    else:
        gateway.known = UnavailableError("no answer", dependency="whatsapp")

    assert await groups.list() == before


@pytest.mark.parametrize(
    ("phone", "masked"), [("+529980000001", "+52••••••••01"), ("+15550100", "+15••••00"), ("+1234567", "+12•••67")]
)
def test_a_masked_number(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked
    assert len(masked) == len(phone)
